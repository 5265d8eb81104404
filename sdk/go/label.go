package sheave

import (
	"fmt"
	"strings"
)

const longestLabel = 63

// Label makes a DNS label of a resource's address: web[2] is web-2, shard["EU_west"] is shard-eu-west. Where characters are
// lost for good, or the label would be too long, eight characters of a hash keep it apart from others.
func Label(address string) string {
	var label strings.Builder
	lost := false
	for _, c := range address {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			label.WriteRune(c)
		case c >= 'A' && c <= 'Z':
			label.WriteRune(c + 'a' - 'A')
		default:
			lost = lost || !strings.ContainsRune(`.-_[]"`, c)
			if label.Len() > 0 && !strings.HasSuffix(label.String(), "-") {
				label.WriteByte('-')
			}
		}
	}
	text := strings.TrimRight(label.String(), "-")
	if !lost && text != "" && len(text) <= longestLabel {
		return text
	}
	if len(text) > longestLabel-9 {
		text = strings.TrimRight(text[:longestLabel-9], "-")
	}
	hash := uint32(0x811c9dc5)
	for _, b := range []byte(address) {
		hash = (hash ^ uint32(b)) * 0x01000193
	}
	if text == "" {
		return fmt.Sprintf("x%08x", hash)
	}
	return fmt.Sprintf("%s-%08x", text, hash)
}
