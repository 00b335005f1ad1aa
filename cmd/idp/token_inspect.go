package main

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"idpbridge/internal/fetch"
	"idpbridge/internal/netaddr"
	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

type tokenInspectCommand struct {
	File    []string `arg:"" optional:"" help:"File with the token; - is standard input, the default."`
	Issuer  string   `help:"Expected iss: the field JWT issuer (iss) of the connector." placeholder:"URL"`
	Subject string   `help:"Expected sub: the value that the identity function returns." placeholder:"SUB"`
	Key     string   `help:"File with the connector's key: PEM, one line, certificate or JWKS." placeholder:"FILE"`
	JWKS    string   `name:"jwks" help:"URL of the connector's key set; it is fetched once." placeholder:"URL"`
	Decrypt string   `help:"PEM file of the private key (PKCS #8) that decrypts an encrypted token." placeholder:"FILE"`
	JSON    bool     `name:"json" help:"Print JSON."`
}

// Help is printed above the flags.
func (tokenInspectCommand) Help() string {
	return `For example:

    idp token inspect --issuer https://login.brand.example --jwks https://login.brand.example/jwks token.txt

The input may also be a redirect URL or a token response that contains the token.
It comes from a file or from standard input, because arguments end up in the
history of the shell. docs/token-inspect.md lists the findings.

Exit status: 0 no errors found, 1 errors found or failure, 2 usage error.`
}

const (
	maxTokenBytes  = 1 << 20   // of the token and the text around it
	maxKeySetBytes = 256 << 10 // of a key set
	jwksTimeout    = 5 * time.Second
)

// Run inspects one token.
func (i tokenInspectCommand) Run(ctx context.Context, p *process) error {
	text, err := i.readInput(p)
	if err != nil {
		return err
	}
	expected := inspect.Expectations{Now: p.now(), Issuer: i.Issuer, Subject: i.Subject}
	if expected.Keys, expected.KeyFindings, err = i.loadKeys(ctx); err != nil {
		return err
	}
	if i.Decrypt != "" {
		if expected.Decrypt, err = readPrivateKey(i.Decrypt); err != nil {
			return err
		}
	}
	report := inspect.Token(text, expected)
	if i.JSON {
		err = printJSON(p.stdout, report)
	} else {
		_, err = io.WriteString(p.stdout, formatReport(report))
	}
	if err == nil && report.CountErrors() > 0 {
		err = errReported
	}
	return err
}

// readInput returns the content of the file or of standard input. Its errors never
// repeat an argument, because it may be a token.
func (i tokenInspectCommand) readInput(p *process) (string, error) {
	if len(i.File) > 1 || len(i.File) == 1 && looksLikeToken(i.File[0]) {
		return "", usageErrorf("token inspect: name one file; a token can't be an argument, because arguments end up " +
			"in the history of the shell. Put it in a file, or pipe it, for example: pbpaste | idp token inspect")
	}
	in := p.stdin
	if len(i.File) == 1 && i.File[0] != "-" {
		f, err := os.Open(i.File[0])
		if err != nil {
			return "", fmt.Errorf("read token: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	} else if isTerminal(p.stdin) {
		_, _ = fmt.Fprintln(p.stderr, "Paste the token, then press Enter and Ctrl-D.")
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxTokenBytes+1))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if len(raw) > maxTokenBytes {
		return "", fmt.Errorf("read token: more than %d bytes; pass only the token", maxTokenBytes)
	}
	return string(raw), nil
}

// looksLikeToken reports whether an argument has the form of a token rather than
// of a file name.
func looksLikeToken(arg string) bool {
	return strings.Count(arg, ".") >= 2 && strings.Contains(arg, "eyJ")
}

// loadKeys returns the keys to verify the signature with, and what is noteworthy
// about them. Without --key and --jwks there are none.
func (i tokenInspectCommand) loadKeys(ctx context.Context) ([]keys.PublicKey, []inspect.Finding, error) {
	if i.Key != "" && i.JWKS != "" {
		return nil, nil, usageErrorf("token inspect: use --key or --jwks, not both; a connector has one of them")
	}
	if i.Key != "" {
		raw, err := os.ReadFile(i.Key)
		if err != nil {
			return nil, nil, fmt.Errorf("read --key: %w", err)
		}
		return parseKeys("--key "+i.Key, string(raw))
	}
	if i.JWKS != "" {
		text, err := fetchKeySet(ctx, i.JWKS)
		if err != nil {
			return nil, nil, err
		}
		return parseKeys("--jwks "+i.JWKS, text)
	}
	return nil, nil, nil
}

// parseKeys parses the keys that a flag names.
func parseKeys(flag, text string) ([]keys.PublicKey, []inspect.Finding, error) {
	found, findings, err := inspect.ParseKeys(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", flag, err)
	}
	return found, findings, nil
}

// fetchKeySet fetches a key set once, as LivePerson would: over https, without
// credentials. Redirects may not lead to another host.
func fetchKeySet(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || !isHTTPSOrLoopback(u) {
		return "", usageErrorf("token inspect: --jwks needs an https URL, or http on loopback")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("fetch --jwks: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	transport := fetch.NewTransport()
	transport.Proxy = http.ProxyFromEnvironment // if there is a proxy on the way out
	defer transport.CloseIdleConnections()
	client := fetch.New(fetch.Config{Timeout: jwksTimeout, MaxBody: maxKeySetBytes, MaxRedirects: 3, Transport: transport})
	res, err := client.Do(r)
	if err != nil {
		return "", fmt.Errorf("fetch --jwks %s: %w%s", address, err, fetchRemedy(err))
	}
	if res.Status != http.StatusOK {
		return "", fmt.Errorf("fetch --jwks %s: the response is %d %s; LivePerson needs 200 without credentials",
			address, res.Status, http.StatusText(res.Status))
	}
	return string(res.Body), nil
}

// fetchRemedy returns what to do about a key set that couldn't be fetched.
func fetchRemedy(err error) string {
	if _, ok := errors.AsType[*fetch.RedirectError](err); ok {
		return "; use the final URL"
	}
	if _, ok := errors.AsType[*fetch.TooLargeError](err); ok {
		return "; that is not a key set"
	}
	return ""
}

// isHTTPSOrLoopback reports whether a request to the URL can't be read on the way.
func isHTTPSOrLoopback(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && netaddr.IsLoopback(u.Hostname())
}

// readPrivateKey reads an RSA key in PKCS #8 PEM. Its errors never repeat the content.
func readPrivateKey(file string) (*rsa.PrivateKey, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --decrypt: %w", err)
	}
	errWrongKey := fmt.Errorf("--decrypt %s: not an RSA private key in PKCS #8 PEM; "+
		"convert it with: openssl pkcs8 -topk8 -nocrypt", file)
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errWrongKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errWrongKey
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errWrongKey
	}
	return key, nil
}
