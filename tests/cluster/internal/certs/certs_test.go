package certs

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func TestCertificatesServeTheirPurposeAndNoOther(t *testing.T) {
	dir := t.TempDir()
	if err := Make(dir, "10.96.0.1", Client{Name: "someone", Group: "some"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatal("no authority in ca.crt")
	}
	pair := func(name string) *x509.Certificate {
		t.Helper()
		loaded, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		return loaded.Leaf
	}
	verify := func(cert *x509.Certificate, host string, usage x509.ExtKeyUsage) error {
		_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}})
		return err
	}
	server, client := pair("server"), pair("client")
	for _, host := range []string{"127.0.0.1", "::1", "localhost", "kubernetes.default.svc", "10.96.0.1"} {
		if err := verify(server, host, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := verify(client, "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Error(err)
	}
	if client.Subject.CommonName != "someone" || client.Subject.Organization[0] != "some" {
		t.Errorf("the client is %s", client.Subject)
	}
	if verify(client, "", x509.ExtKeyUsageServerAuth) == nil || verify(server, "", x509.ExtKeyUsageClientAuth) == nil {
		t.Error("a certificate serves for more than it is meant to")
	}
}
