package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
)

// installationFiles writes files into a folder, with the configuration of TLS, and returns
// the path of idp.yaml.
func installationFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	return filepath.Join(folder, "idp.yaml")
}

// withTLS is the good file with a certificate instead of a proxy.
func withTLS() string {
	return strings.Replace(good, "proxies: [127.0.0.1]", "tls: {certificate: cert.pem, key: key.pem}", 1)
}

var certificateDay = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // read only

// newCertificate returns a certificate, which is valid for a month, and its key in PEM.
func newCertificate(t *testing.T, host string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: certificateDay, NotAfter: certificateDay.AddDate(0, 1, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", keyDER)
}

func TestLoadInstallation(t *testing.T) {
	t.Parallel()
	certificate, key := newCertificate(t, "login.brand.example")
	_, otherKey := newCertificate(t, "login.brand.example")
	const people = "people:\n  - {username: ann, sub: 0123456789abcdef}\n"
	during := certificateDay.AddDate(0, 0, 1)
	for name, c := range map[string]struct {
		files map[string]string
		at    time.Time
		want  string // what follows the name of the folder; empty: no problem
	}{
		"reads all files": {map[string]string{"idp.yaml": withTLS(), "cert.pem": certificate, "key.pem": key}, during, ""},
		"from Windows": {map[string]string{
			"idp.yaml":    "\ufeff" + strings.ReplaceAll(withTLS(), "\n", "\r\n"),
			"cert.pem":    "\ufeff" + strings.ReplaceAll(certificate, "\n", "\r\n"),
			"key.pem":     "\ufeff" + strings.ReplaceAll(key, "\n", "\r\n"),
			"people.yaml": "\ufeff" + strings.ReplaceAll(people, "\n", "\r\n"),
		}, during, ""},
		"certificate missing": {
			map[string]string{"idp.yaml": withTLS(), "key.pem": key},
			during,
			"idp.yaml:4:20: certificate DIR/cert.pem cannot be read: no such file or directory",
		},
		"key missing": {
			map[string]string{"idp.yaml": withTLS(), "cert.pem": certificate},
			during,
			"idp.yaml:4:35: private key DIR/key.pem cannot be read: no such file or directory",
		},
		"key of another certificate": {
			map[string]string{"idp.yaml": withTLS(), "cert.pem": certificate, "key.pem": otherKey},
			during,
			"idp.yaml:4:6: certificate DIR/cert.pem and private key DIR/key.pem cannot be used: " +
				"tls: private key does not match public key",
		},
		"certificate expired": {
			map[string]string{"idp.yaml": withTLS(), "cert.pem": certificate, "key.pem": key},
			certificateDay.AddDate(0, 2, 0),
			"idp.yaml:4:20: the certificate is valid from 2026-05-01 to 2026-06-01 only; replace it",
		},
		"certificate of another host": {
			map[string]string{
				"idp.yaml": strings.Replace(withTLS(), "login.", "www.", 1), "cert.pem": certificate, "key.pem": key,
			},
			during,
			"idp.yaml:4:20: the certificate is not for www.brand.example, the host of issuer; replace it",
		},
		"an expired certificate is no reason not to start": {
			map[string]string{"idp.yaml": withTLS(), "cert.pem": certificate, "key.pem": key}, time.Time{}, "",
		},
		"people missing": {
			map[string]string{"idp.yaml": strings.Replace(good, "people.yaml", "nobody.yaml", 1)},
			during,
			"idp.yaml:3:9: people file DIR/nobody.yaml does not exist: no such file or directory",
		},
		"problems in every file": {
			map[string]string{
				"idp.yaml":    withTLS() + "colour: blue\nsubjects: {key: short, known: known.yaml}\n",
				"people.yaml": "people:\n  - {username: ann, customer: c-1}\n  - {usernam: bob}\n",
				"known.yaml":  "subjects:\n  - {customer: c-2}\n", "cert.pem": certificate,
			},
			during,
			`idp.yaml:4:35: private key DIR/key.pem cannot be read: no such file or directory
DIR/idp.yaml:12:1: unknown key "colour"; `,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.files["people.yaml"] == "" {
				c.files["people.yaml"] = people
			}
			path := installationFiles(t, c.files)
			installation, err := config.LoadInstallation(path, env, c.at)
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, "ann", installation.People[0].Username)
				require.True(t, installation.Clients[0].Secret.Equal(shopSecret))
				return
			}
			require.Error(t, err)
			got := strings.ReplaceAll(err.Error(), filepath.Dir(path), "DIR")
			if name != "problems in every file" {
				require.Equal(t, "DIR/"+c.want, got)
				return
			}
			require.Contains(t, got, "DIR/"+c.want)
			for _, more := range []string{
				"DIR/idp.yaml:13:17: subjects.key is not", `DIR/people.yaml:3:6: people[1]: unknown key "usernam"`,
				"DIR/known.yaml:2:5: subjects[0]: sub",
			} {
				require.Contains(t, got, more)
			}
		})
	}
}

func TestLoadInstallationChecksWhoCanReadFiles(t *testing.T) {
	t.Parallel()
	certificate, key := newCertificate(t, "login.brand.example")
	path := installationFiles(t, map[string]string{
		"idp.yaml": withTLS(), "cert.pem": certificate, "key.pem": key, "people.yaml": "people: []\n",
	})
	folder := filepath.Dir(path)
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755))
	require.NoError(t, os.Chmod(filepath.Join(folder, "key.pem"), 0o644))
	require.NoError(t, os.Chmod(filepath.Join(folder, "people.yaml"), 0o644))
	_, err := config.LoadInstallation(path, env, time.Time{})
	require.Error(t, err)
	require.Equal(t, strings.ReplaceAll(`DIR/idp.yaml:3:9: people file DIR/people.yaml is accessible to other users; `+
		`run: chmod 600 DIR/people.yaml
DIR/idp.yaml:4:35: private key DIR/key.pem is accessible to other users; run: chmod 600 DIR/key.pem`, "DIR", folder),
		err.Error())
}

func TestSecretsAreTrimmed(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"line break":                   shopSecret + "\n",
		"line break of Windows":        shopSecret + "\r\n",
		"byte order mark of an editor": "\ufeff" + shopSecret + "\r\n",
	} {
		cfg, err := config.Parse("idp.yaml", []byte(good), func(string) string { return value }, "")
		require.NoError(t, err, name)
		require.True(t, cfg.Clients[0].Secret.Equal(shopSecret), name)
		path := installationFiles(t, map[string]string{
			"idp.yaml": strings.Replace(good, "env: SHOP_SECRET", "file: s", 1), "s": value,
		})
		cfg, err = config.Load(path, env)
		require.NoError(t, err, name)
		require.True(t, cfg.Clients[0].Secret.Equal(shopSecret), name)
	}
}

// TestDocumentedSecretsAreRejected: whatever the documentation has as a client secret.
func TestDocumentedSecretsAreRejected(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	found := 0
	for _, file := range append(files, "../README.md", "../dev/demo.go") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		separates := func(r rune) bool { return strings.ContainsRune(" \n\t`\"'|,;", r) }
		for _, word := range strings.FieldsFunc(string(text), separates) {
			if len(word) < 32 || !strings.Contains(word, "secret-") {
				continue
			}
			found++
			_, err := config.Parse("idp.yaml", []byte(good), func(string) string { return word }, "")
			require.ErrorContains(t, err, "secret is from the documentation", file)
		}
	}
	require.GreaterOrEqual(t, found, 6)
}

func TestIdleLifetimesFollow(t *testing.T) {
	t.Parallel()
	cfg, err := parse(t, good+"lifetimes: {session: 40m, refresh_token: 24h}\n")
	require.NoError(t, err)
	require.Equal(t, 40*time.Minute, cfg.Lifetimes.SessionIdle)
	require.Equal(t, 24*time.Hour, cfg.Lifetimes.RefreshIdle)
}

func TestPeopleTemplate(t *testing.T) {
	t.Parallel()
	people, err := config.ParsePeople("people.yaml", config.PeopleTemplate(), config.PeopleRules{})
	require.NoError(t, err)
	require.Empty(t, people)
	_, example, found := strings.Cut(string(config.PeopleTemplate()), "idp people hash\n#\n")
	require.True(t, found)
	example = strings.ReplaceAll("\n"+example, "\n# ", "\n")
	example = strings.Replace(example, "$…", "$MDAwMDAwMDAwMDAwMDAwMA$MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA", 1)
	people, err = config.ParsePeople("people.yaml", []byte(example), config.PeopleRules{})
	require.NoError(t, err)
	require.Equal(t, "jane", people[0].Username)
}
