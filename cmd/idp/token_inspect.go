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

	"idpbridge/internal/netaddr"
	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

type tokenInspectCommand struct {
	File    []string `arg:"" optional:"" help:"File with the token, or - for standard input, the default."`
	Issuer  string   `help:"What iss must be: JWT issuer (iss) of the connector." placeholder:"URL"`
	Subject string   `help:"What sub must be: that of the identity function." placeholder:"SUB"`
	Key     string   `help:"File with the connector's key: PEM, one line, certificate or JWKS." placeholder:"FILE"`
	JWKS    string   `name:"jwks" help:"Address of the connector's key set; it is fetched once." placeholder:"URL"`
	Decrypt string   `help:"PEM file of the private key (PKCS #8) that opens an encrypted token." placeholder:"FILE"`
	JSON    bool     `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (tokenInspectCommand) Help() string {
	return `For example:

    idp token inspect --issuer https://login.brand.example --jwks https://login.brand.example/jwks token.txt

The token may be in a redirect's address or in a token endpoint's answer. It is
read from a file or from standard input, because arguments end in the history of
the shell. docs/token-inspect.md lists what may be found.

Exit status: 0 without a fault, 1 with one, 2 used wrongly.`
}

const (
	maxTokenBytes  = 1 << 20   // bytes of a token and what is around it
	maxKeySetBytes = 256 << 10 // bytes of a key set
	jwksTimeout    = 5 * time.Second
)

// Run inspects one token.
func (i tokenInspectCommand) Run(ctx context.Context, p *process) error {
	text, err := i.readToken(p)
	if err != nil {
		return err
	}
	x := inspect.Expectations{Now: p.now(), Issuer: i.Issuer, Subject: i.Subject}
	if x.Keys, x.KeyFindings, err = i.loadKeys(ctx); err != nil {
		return err
	}
	if i.Decrypt != "" {
		if x.Decrypt, err = readPrivateKey(i.Decrypt); err != nil {
			return err
		}
	}
	report := inspect.Token(text, x)
	if i.JSON {
		err = printJSON(p.stdout, report)
	} else {
		_, err = io.WriteString(p.stdout, formatReport(report))
	}
	if err == nil && report.Faults() > 0 {
		err = errReported
	}
	return err
}

// readToken returns the text of the file or of standard input. Its errors repeat no
// argument that may be a token.
func (i tokenInspectCommand) readToken(p *process) (string, error) {
	for _, arg := range i.File {
		if len(i.File) > 1 || strings.Count(arg, ".") >= 2 && strings.Contains(arg, "eyJ") {
			return "", &usageError{"token inspect: name one file; a token is no argument, because arguments end in the history of the shell. " +
				"Put it into a file, or pipe it, for example: pbpaste | idp token inspect"}
		}
	}
	from := p.stdin
	if len(i.File) == 1 && i.File[0] != "-" {
		f, err := os.Open(i.File[0])
		if err != nil {
			return "", fmt.Errorf("read token: %w", err)
		}
		defer func() { _ = f.Close() }()
		from = f
	} else if f, ok := p.stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			_, _ = fmt.Fprintln(p.stderr, "Paste the token, then press Enter and Ctrl-D.")
		}
	}
	raw, err := io.ReadAll(io.LimitReader(from, maxTokenBytes+1))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if len(raw) > maxTokenBytes {
		return "", fmt.Errorf("read token: more than %d bytes; give the token alone", maxTokenBytes)
	}
	return string(raw), nil
}

// loadKeys are what the token's signature is checked with; none without a flag.
func (i tokenInspectCommand) loadKeys(ctx context.Context) ([]keys.PublicKey, []inspect.Finding, error) {
	switch {
	case i.Key != "" && i.JWKS != "":
		return nil, nil, &usageError{"token inspect: give --key or --jwks; a connector has one of them"}
	case i.Key != "":
		raw, err := os.ReadFile(i.Key)
		if err != nil {
			return nil, nil, fmt.Errorf("read --key: %w", err)
		}
		found, notes, err := inspect.ReadKeys(string(raw))
		if err != nil {
			return nil, nil, fmt.Errorf("--key %s: %w", i.Key, err)
		}
		return found, notes, nil
	case i.JWKS != "":
		text, err := fetchKeySet(ctx, i.JWKS)
		if err != nil {
			return nil, nil, err
		}
		found, notes, err := inspect.ReadKeys(text)
		if err != nil {
			return nil, nil, fmt.Errorf("--jwks %s: %w", i.JWKS, err)
		}
		return found, notes, nil
	}
	return nil, nil, nil
}

// fetchKeySet asks for a key set once, as LivePerson would: over https, without
// credentials. Redirects may not leave the host.
func fetchKeySet(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || !isHTTPSOrLoopback(u) {
		return "", &usageError{"token inspect: --jwks wants an https address, or http on loopback"}
	}
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	client := &http.Client{CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 || r.URL.Host != u.Host || r.URL.Scheme != u.Scheme {
			return errors.New("it redirects elsewhere; give the address that answers")
		}
		return nil
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("fetch --jwks: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return "", fmt.Errorf("fetch --jwks: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("fetch --jwks %s: the answer is %s; LivePerson wants 200 without a password", address, res.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxKeySetBytes+1))
	if err != nil {
		return "", fmt.Errorf("fetch --jwks: %w", err)
	}
	if len(raw) > maxKeySetBytes {
		return "", fmt.Errorf("fetch --jwks %s: more than %d bytes; that is no key set", address, maxKeySetBytes)
	}
	return string(raw), nil
}

func isHTTPSOrLoopback(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && netaddr.IsLoopback(u.Hostname())
}

// readPrivateKey reads an RSA key in PKCS #8. Errors repeat nothing of it.
func readPrivateKey(file string) (*rsa.PrivateKey, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --decrypt: %w", err)
	}
	wrong := fmt.Errorf("--decrypt %s: not an RSA private key in PKCS #8 PEM; convert it with: openssl pkcs8 -topk8 -nocrypt", file)
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, wrong
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, wrong
	}
	if key, ok := key.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, wrong
}
