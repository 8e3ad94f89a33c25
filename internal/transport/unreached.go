package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Unreached says in plain words why a host gave no answer.
func Unreached(host string, err error) error {
	var (
		name *net.DNSError
		cert *tls.CertificateVerificationError
		rest interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Errorf("there is no host %s", host)
	case errors.As(err, &name):
		return fmt.Errorf("the name %s can't be looked up: %s", host, name.Err)
	case errors.As(err, &cert):
		return fmt.Errorf("the certificate of %s is not accepted: %w", host, cert.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens at %s", host)
	case errors.As(err, &rest) && rest.Timeout():
		return fmt.Errorf("%s does not answer", host)
	}
	return err
}
