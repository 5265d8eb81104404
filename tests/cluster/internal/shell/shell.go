// Package shell writes words that a POSIX shell reads back unchanged.
package shell

import "strings"

// Quote makes one word of a text. Text without special characters stays as it is,
// for readers that know nothing of quoting.
func Quote(text string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("/.-_:", r) ||
			'0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
