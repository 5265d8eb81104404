package pool

import (
	"errors"
	"testing"
)

// small has a handful of addresses beyond the reserved ones: 127.0.2.1 to 127.0.3.255.
func small(t *testing.T) *Pool {
	t.Helper()
	pool, err := New("127.0.0.0/22")
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func assign(t *testing.T, pool *Pool, key string) string {
	t.Helper()
	address, err := pool.Assign(key)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestAKeyKeepsItsAddress(t *testing.T) {
	pool := small(t)
	first := assign(t, pool, "ns/a")
	if first != "127.0.2.1" {
		t.Errorf("the first address is %s", first)
	}
	if second := assign(t, pool, "ns/b"); second == first {
		t.Errorf("two keys have %s", first)
	}
	if again := assign(t, pool, "ns/a"); again != first {
		t.Errorf("the key had %s and now has %s", first, again)
	}
}

func TestAReleasedAddressIsUsedLast(t *testing.T) {
	pool := small(t)
	first := assign(t, pool, "ns/a")
	pool.Release("ns/a")
	if next := assign(t, pool, "ns/b"); next == first {
		t.Errorf("%s was given again at once", first)
	}
}

func TestAnEmptyPoolSaysSoAndRecovers(t *testing.T) {
	pool := small(t)
	taken := 0
	var err error
	for err == nil {
		_, err = pool.Assign(string(rune('a' + taken)))
		taken++
	}
	if !errors.Is(err, ErrEmpty) || taken-1 != 4*256-reservedAddresses {
		t.Fatalf("after %d addresses: %v", taken-1, err)
	}
	pool.Release("a")
	if address := assign(t, pool, "late"); address != "127.0.2.1" {
		t.Errorf("the only free address is 127.0.2.1, not %s", address)
	}
}

func TestClaim(t *testing.T) {
	pool := small(t)
	if !pool.Claim("ns/a", "127.0.3.7") || !pool.Claim("ns/a", "127.0.3.7") {
		t.Error("a free address, or one's own, is refused")
	}
	if assign(t, pool, "ns/a") != "127.0.3.7" {
		t.Error("the claim is forgotten")
	}
	if pool.Claim("ns/b", "127.0.3.7") {
		t.Error("an address is given twice")
	}
	if !pool.Claim("ns/a", "127.0.3.8") || !pool.Claim("ns/b", "127.0.3.7") {
		t.Error("a claim of another address does not free the first")
	}
	for _, outside := range []string{"127.0.0.1", "127.0.4.1", "10.0.0.1", "::1", "host", ""} {
		if pool.Claim("ns/c", outside) {
			t.Errorf("%q is not in the pool", outside)
		}
	}
}

func TestPoolsThatCannotBe(t *testing.T) {
	for _, text := range []string{"10.0.0.0/16", "127.0.0.0/24", "127.0.0.1", ""} {
		if _, err := New(text); err == nil {
			t.Errorf("%q makes a pool", text)
		}
	}
}
