// Package core is what the SDK's packages share: the host's log, and JSON.
package core

import (
	"bytes"
	"encoding/json"
)

// Log writes to the host's log; nil where there is no host.
var Log func(level uint8, message string, fields [][2]string)

// JSON is compact, its keys in order, with no more escaped than must be.
func JSON(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	// Fields of structs come in their order; through a map, all keys are sorted.
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(out.Bytes()))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return "", err
	}
	out.Reset()
	if err := encoder.Encode(tree); err != nil {
		return "", err
	}
	return string(bytes.TrimRight(out.Bytes(), "\n")), nil
}
