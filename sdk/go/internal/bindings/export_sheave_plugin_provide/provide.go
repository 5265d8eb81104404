// Package export_sheave_plugin_provide is what the host calls; the SDK sets the functions.
package export_sheave_plugin_provide

import (
	"sheave/internal/bindings/sheave_plugin_provide"
	"sheave/internal/bindings/sheave_plugin_types"
	"sheave/internal/wit/types"
)

type (
	change   = sheave_plugin_provide.Change
	failure  = sheave_plugin_types.Failure
	instance = sheave_plugin_types.Instance
	planned  = sheave_plugin_provide.Planned
	snapshot = sheave_plugin_types.Snapshot
	step     = sheave_plugin_provide.Step
)

var (
	Plan  func(what change) wit_types.Result[planned, failure]
	Read  func(of instance, prior snapshot) wit_types.Result[wit_types.Option[snapshot], failure]
	Apply func(what change, agreed planned, key string, resume wit_types.Option[[]uint8]) wit_types.Result[step, failure]
)
