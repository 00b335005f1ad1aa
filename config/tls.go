package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"idpbridge/internal/filemode"
)

// tlsError is a problem with one of the files of a certificate.
type tlsError struct {
	setting string // tls.certificate or tls.key
	err     error
}

func (e *tlsError) Error() string { return e.err.Error() }

func (e *tlsError) Unwrap() error { return e.err }

// Load reads the certificate chain and the private key, which must be closed to other
// users. Errors name the file and the cause.
func (t TLS) Load() (tls.Certificate, error) {
	certificate, err := os.ReadFile(t.Certificate)
	if err != nil {
		return tls.Certificate{}, &tlsError{"tls.certificate", fmt.Errorf("certificate %s %w", t.Certificate, causeOf(err))}
	}
	key, err := readPrivateFile(t.Key)
	if err != nil {
		return tls.Certificate{}, &tlsError{"tls.key", fmt.Errorf("private key %s %w", t.Key, err)}
	}
	pair, err := tls.X509KeyPair(trimByteOrderMark(certificate), trimByteOrderMark(key))
	if err != nil {
		return tls.Certificate{},
			fmt.Errorf("certificate %s and private key %s cannot be used: %w", t.Certificate, t.Key, err)
	}
	return pair, nil
}

// readPrivateFile reads a file that must be closed to other users. The error begins with
// a verb.
func readPrivateFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, causeOf(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, causeOf(err)
	}
	if err := filemode.CheckPrivate(path, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, causeOf(err)
	}
	return data, nil
}

// causeOf leaves the path out of an error, and begins with a verb.
func causeOf(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
