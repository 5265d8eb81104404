// Package export_sheave_plugin_model is what the host calls; the SDK sets the functions.
package export_sheave_plugin_model

import (
	"sheave/internal/bindings/sheave_plugin_model"
	"sheave/internal/bindings/sheave_plugin_types"
	"sheave/internal/wit/types"
)

type (
	doc      = sheave_plugin_types.Doc
	failure  = sheave_plugin_types.Failure
	instance = sheave_plugin_types.Instance
)

var (
	Describe       func() []sheave_plugin_model.TypeInfo
	SettingsSchema func() wit_types.Option[string]
	Schema         func(typeName string) wit_types.Result[string, failure]
	Check          func(of instance, props doc) wit_types.Result[doc, failure]
	Upgrade        func(of instance, version uint32, state doc) wit_types.Result[doc, failure]
)
