// Package pool hands out addresses, one to each key. Pure.
package pool

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

// reservedAddresses at the start of a pool are left to others: 127.0.0.1 above
// all, and 127.0.1.1, by which some systems know themselves.
const reservedAddresses = 2*256 + 1

// ErrEmpty says that every address is taken.
var ErrEmpty = errors.New("no address is left in the pool")

// Pool gives each key at most one address. Addresses given back are used
// again only after all others, so that a stale one points nowhere.
type Pool struct {
	mutex       sync.Mutex
	prefix      netip.Prefix
	first, next netip.Addr
	byKey       map[string]netip.Addr
	byAddress   map[netip.Addr]string
}

// New makes a pool of a loopback prefix, like 127.0.0.0/16.
func New(text string) (*Pool, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, err
	}
	if !prefix.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s is not on loopback", text)
	}
	first := prefix.Masked().Addr()
	for range reservedAddresses {
		first = first.Next()
	}
	if !prefix.Contains(first) {
		return nil, fmt.Errorf("%s is too small: its first %d addresses are reserved", text, reservedAddresses)
	}
	return &Pool{
		prefix: prefix, first: first, next: first,
		byKey: map[string]netip.Addr{}, byAddress: map[netip.Addr]string{},
	}, nil
}

// Claim gives the key this very address, if it lies in the pool and is free.
func (p *Pool) Claim(key, text string) bool {
	address, err := netip.ParseAddr(text)
	if err != nil || !p.prefix.Contains(address) || address.Less(p.first) {
		return false
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if owner, taken := p.byAddress[address]; taken {
		return owner == key
	}
	p.drop(key)
	p.byKey[key], p.byAddress[address] = address, key
	return true
}

// Assign gives the key the address it has, or the next free one.
func (p *Pool) Assign(key string) (string, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if address, has := p.byKey[key]; has {
		return address.String(), nil
	}
	begin := p.next
	for {
		candidate := p.next
		p.next = candidate.Next()
		if !p.prefix.Contains(p.next) {
			p.next = p.first
		}
		if _, taken := p.byAddress[candidate]; !taken {
			p.byKey[key], p.byAddress[candidate] = candidate, key
			return candidate.String(), nil
		}
		if p.next == begin {
			return "", ErrEmpty
		}
	}
}

// Release gives back what the key had.
func (p *Pool) Release(key string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.drop(key)
}

func (p *Pool) drop(key string) {
	if address, has := p.byKey[key]; has {
		delete(p.byAddress, address)
		delete(p.byKey, key)
	}
}
