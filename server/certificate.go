package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"idpbridge/config"
)

// certificateInterval is the time between two looks at the files of the certificate.
const certificateInterval = 10 * time.Second

// certificate is a TLS certificate that follows changes of its files.
type certificate struct {
	files  config.TLS
	loaded atomic.Pointer[loadedCertificate]
}

// loadedCertificate is a certificate and what identifies the version of its files.
type loadedCertificate struct {
	tls.Certificate

	version string
}

// loadCertificate reads the files of the settings. Without TLS it returns nil.
func loadCertificate(files *config.TLS) (*certificate, error) {
	if files == nil {
		return nil, nil //nolint:nilnil // no TLS
	}
	c := &certificate{files: *files}
	_, err := c.reload()
	return c, err
}

// reload reads the files again if they have changed, and reports whether they had. On an
// error, such as files that do not match because only one is new, the old certificate
// stays.
func (c *certificate) reload() (changed bool, err error) {
	version, err := versionOf(c.files.Certificate, c.files.Key)
	if err != nil {
		return false, fmt.Errorf("tls: %w", err)
	}
	if old := c.loaded.Load(); old != nil && old.version == version {
		return false, nil
	}
	pair, err := c.files.Load()
	if err != nil {
		return false, fmt.Errorf("tls: %w", err)
	}
	c.loaded.Store(&loadedCertificate{pair, version})
	return true, nil
}

// versionOf identifies the content of files by their sizes and times.
func versionOf(files ...string) (string, error) {
	version := ""
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return "", err
		}
		version += fmt.Sprintf("%d %d ", info.Size(), info.ModTime().UnixNano())
	}
	return version, nil
}

// expires is when the certificate expires.
func (c *certificate) expires() time.Time { return c.loaded.Load().Leaf.NotAfter }

func (c *certificate) config() *tls.Config {
	cfg := strictTLS()
	cfg.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &c.loaded.Load().Certificate, nil
	}
	return cfg
}

// reloadCertificate picks up a changed certificate.
func (s *Server) reloadCertificate(ctx context.Context) {
	changed, err := s.certificate.reload()
	if err != nil {
		s.Log.ErrorContext(ctx, "certificate reload failed; the old one stays", "error", err)
	}
	if changed {
		s.Log.InfoContext(ctx, "certificate reloaded", "expires", s.certificate.expires())
	}
}
