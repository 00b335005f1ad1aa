package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// Codes of TLS connections and certificates.
const (
	TLSVersion Code = "tls-version"
	TLSName    Code = "tls-name"
	TLSExpiry  Code = "tls-expiry"
	TLSChain   Code = "tls-chain"
	TLSTrust   Code = "tls-trust"
)

// expiryWarning is how long before its end a certificate causes a warning.
const expiryWarning = 14 * 24 * time.Hour

// checkConnection connects to the host of a URL and checks the TLS version and the
// certificate, as a client does that trusts the usual authorities.
func (e *exam) checkConnection(ctx context.Context, rawURL string) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return // checkURLs has reported it
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	host := u.Hostname()
	raw, err := e.cfg.Dial(ctx, "tcp", net.JoinHostPort(host, portOf(u)))
	if err != nil {
		e.addError(AddressAnswers, fmt.Sprintf("Cannot connect to %s: %v.", u.Host, e.describeError(err)),
			"Start the provider, check the host name, and allow port "+portOf(u)+" in the firewall.")
		return
	}
	defer func() { _ = raw.Close() }()
	e.checkRemoteAddr(host, raw.RemoteAddr())
	conn := tls.Client(raw, &tls.Config{
		ServerName: host,
		// The certificate is verified below, one property at a time, so that each
		// problem has its own code. Nothing is sent over this connection.
		InsecureSkipVerify: true, //nolint:gosec // verified below
		MinVersion:         tls.VersionTLS10,
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		e.addError(TLSVersion, fmt.Sprintf("The TLS handshake with %s failed: %v.", u.Host, e.describeError(err)),
			"Serve https on this port: configure a certificate, or put a proxy with one in front.")
		return
	}
	defer func() { _ = conn.Close() }()
	state := conn.ConnectionState()
	version := tls.VersionName(state.Version)
	if state.Version < tls.VersionTLS12 {
		e.addError(TLSVersion, fmt.Sprintf("%s supports nothing newer than %s.", u.Host, version),
			"Allow TLS 1.2 and 1.3 in the server or proxy that has the certificate.")
	} else {
		e.addOK(TLSVersion, fmt.Sprintf("%s supports %s.", u.Host, version))
	}
	if len(state.PeerCertificates) > 0 {
		e.checkCertificate(u.Host, host, state.PeerCertificates)
	}
}

// checkRemoteAddr warns of a public name that resolves to a private address here.
func (e *exam) checkRemoteAddr(host string, remote net.Addr) {
	addrPort, err := netip.ParseAddrPort(remote.String())
	if err != nil || whyNotPublic(host) != "" {
		return
	}
	ip := addrPort.Addr().Unmap()
	if !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
		e.addOK(AddressAnswers, fmt.Sprintf("%s accepts connections at %s.", host, remote))
		return
	}
	add := e.addWarning
	if e.cfg.Local {
		add = e.addNote
	}
	add(AddressPublic, fmt.Sprintf("On this machine, %s resolves to the private IP address %s.", host, ip),
		"Look the name up from outside your network: for LivePerson it must resolve to a public address.")
}

// checkCertificate checks a certificate chain as the server sent it, the server's
// own certificate first. Findings call the server hostname.
func (e *exam) checkCertificate(server, hostname string, chain []*x509.Certificate) {
	if err := chain[0].VerifyHostname(hostname); err != nil {
		e.addError(TLSName, fmt.Sprintf("The certificate of %s is not valid for this host name.", server),
			"Get a certificate that lists the name, or point the name to the server that has it.", err.Error())
	} else {
		e.addOK(TLSName, fmt.Sprintf("The certificate of %s is valid for this host name.", server))
	}
	now := e.cfg.Now()
	e.checkExpiry(server, chain, now)
	e.checkTrust(server, chain, now)
}

// checkExpiry looks at the certificate in the chain that expires first.
func (e *exam) checkExpiry(server string, chain []*x509.Certificate, now time.Time) {
	const renew = "Renew the certificate, load it, and automate the renewal."
	const layout = "2 January 2006 15:04 UTC"
	if start := chain[0].NotBefore; now.Before(start) {
		e.addError(TLSExpiry,
			fmt.Sprintf("The certificate of %s is not valid before %s.", server, start.UTC().Format(layout)),
			"Check this machine's clock. If it is right, wait with this certificate until it is valid.")
		return
	}
	end := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	day := end.UTC().Format(layout)
	left := end.Sub(now)
	if left <= 0 {
		e.addError(TLSExpiry, fmt.Sprintf("The certificate of %s expired on %s.", server, day), renew)
		return
	}
	if left < expiryWarning {
		days := pluralize(int(left/(24*time.Hour)), "day")
		e.addWarning(TLSExpiry, fmt.Sprintf("The certificate of %s expires in %s, on %s.", server, days, day), renew)
		return
	}
	e.addOK(TLSExpiry, fmt.Sprintf("The certificate of %s is valid until %s.", server, day))
}

// checkTrust verifies the chain up to a root. checkExpiry has judged the dates, so
// this verifies at a time when the server's certificate was valid.
func (e *exam) checkTrust(server string, chain []*x509.Certificate, now time.Time) {
	leaf, last := chain[0], chain[len(chain)-1]
	if now.After(leaf.NotAfter) {
		now = leaf.NotAfter
	}
	if now.Before(leaf.NotBefore) {
		now = leaf.NotBefore
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: e.cfg.RootCAs, Intermediates: intermediates, CurrentTime: now})
	if err != nil {
		e.explainUntrusted(server, chain, err)
		return
	}
	if e.cfg.RootCAs != nil {
		e.addUnreachable(TLSTrust,
			fmt.Sprintf("The certificate of %s is trusted only because of the authorities given for this run.", server),
			"Run again without them: LivePerson trusts public authorities only.", "issued by "+last.Issuer.String())
		return
	}
	e.addOK(TLSTrust,
		fmt.Sprintf("The certificate of %s was issued by a public authority, and the chain is complete.", server))
}

func (e *exam) explainUntrusted(server string, chain []*x509.Certificate, err error) {
	if _, noRoots := errors.AsType[x509.SystemRootsError](err); noRoots {
		e.addSkip(TLSTrust, "This machine has no list of trusted authorities, so certificates cannot be verified.",
			"Install the list (on Debian, the package ca-certificates) and run again.", err.Error())
		return
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
		e.addError(TLSTrust, fmt.Sprintf("The certificate of %s cannot be verified: %v.", server, err),
			"Get another certificate from a public authority.")
		return
	}
	last := chain[len(chain)-1]
	if bytes.Equal(last.RawIssuer, last.RawSubject) {
		e.addError(TLSTrust,
			fmt.Sprintf("The certificate chain of %s ends at %s, which is not a public authority.", server, last.Subject),
			"Get a certificate from a public authority, such as Let's Encrypt: LivePerson trusts no others.")
		return
	}
	e.addError(TLSChain,
		fmt.Sprintf("The certificate chain of %s is incomplete: it has %s, but not that of the issuer %s.",
			server, pluralize(len(chain), "certificate"), last.Issuer),
		"Add the intermediate certificate after your own in the certificate file (Let's Encrypt: use fullchain.pem, "+
			"not cert.pem). Browsers may find a missing one themselves, servers do not.")
}
