// Package export_sheave_plugin_emit is what the host calls; the SDK sets the functions.
package export_sheave_plugin_emit

import (
	"sheave/internal/bindings/sheave_plugin_emit"
	"sheave/internal/bindings/sheave_plugin_types"
	"sheave/internal/wit/types"
)

type (
	doc      = sheave_plugin_types.Doc
	failure  = sheave_plugin_types.Failure
	instance = sheave_plugin_types.Instance
	live     = sheave_plugin_emit.Live
)

var (
	Needs   func(of instance, props doc, found []live) wit_types.Result[[]sheave_plugin_emit.Lookup, failure]
	Render  func(of instance, props doc, found []live) wit_types.Result[[]sheave_plugin_emit.Emitted, failure]
	Observe func(of instance, props doc, live []live) wit_types.Result[sheave_plugin_emit.Observation, failure]
)
