package core

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Schema is the JSON Schema of properties, with that of the outputs under x-outputs.
func Schema(props, outputs reflect.Type) map[string]any {
	schema := schemaOf(props)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["x-outputs"] = schemaOf(outputs)
	return schema
}

func schemaOf(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		return ofStruct(t)
	default:
		return map[string]any{}
	}
}

func ofStruct(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []any{}
	for _, f := range fields(t) {
		schema := schemaOf(f.Type)
		if doc, given := f.Tag.Lookup("doc"); given {
			schema["description"] = doc
		}
		for tag, keyword := range map[string]string{"min": "minimum", "max": "maximum", "default": "default"} {
			if text, given := f.Tag.Lookup(tag); given {
				schema[keyword] = f.value(text)
			}
		}
		for _, word := range strings.Fields(strings.ReplaceAll(f.Tag.Get("sheave"), ",", " ")) {
			schema["x-"+word] = true
		}
		properties[f.name] = schema
		if f.required {
			required = append(required, f.name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

type field struct {
	reflect.StructField
	name     string
	required bool
}

func fields(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		_, given := f.Tag.Lookup("default")
		optional := given || f.Type.Kind() == reflect.Pointer || strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		all = append(all, field{f, name, !optional})
	}
	return all
}

// value reads a tag's text as JSON, but for texts, which need no quotes there.
func (f field) value(text string) any {
	if f.Type.Kind() == reflect.String {
		return text
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		panic(fmt.Sprintf("field %s: the tag %q is not JSON", f.Name, text))
	}
	return value
}

// Fill puts defaults where nothing was said.
func Fill(t reflect.Type, value any) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := value.(type) {
	case map[string]any:
		if t.Kind() == reflect.Map {
			for _, inner := range value {
				Fill(t.Elem(), inner)
			}
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for _, f := range fields(t) {
			text, given := f.Tag.Lookup("default")
			if _, there := value[f.name]; !there && given {
				value[f.name] = f.value(text)
			}
			Fill(f.Type, value[f.name])
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for _, inner := range value {
				Fill(t.Elem(), inner)
			}
		}
	}
}

// Read reads JSON as the author's type, defaults filled in.
func Read[T any](text string) (T, error) {
	var into T
	var tree any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return into, err
	}
	Fill(reflect.TypeFor[T](), tree)
	filled, err := json.Marshal(tree)
	if err != nil {
		return into, err
	}
	return into, json.Unmarshal(filled, &into)
}
