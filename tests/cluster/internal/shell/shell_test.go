package shell

import (
	"os/exec"
	"testing"
)

func TestTheShellReadsBackWhatWasQuoted(t *testing.T) {
	for _, text := range []string{"", "/plain/path-1.x", "a b", "it's", "$HOME `id` \"x\" \\", "line\nline", "ü"} {
		out, err := exec.Command("sh", "-c", "printf %s "+Quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q came back as %q, %v", text, out, err)
		}
	}
	if quoted := Quote("/plain/path-1.x"); quoted != "/plain/path-1.x" {
		t.Errorf("plain text became %s", quoted)
	}
}
