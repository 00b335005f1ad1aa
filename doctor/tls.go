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

const expiryWarning = 14 * 24 * time.Hour // a certificate that expires within it is warned of

// checkConnection looks at the connection to an address: who answers, and whether a
// stranger with nothing but the usual authorities believes them.
func (e *exam) checkConnection(ctx context.Context, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return // said already
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	host := u.Hostname()
	raw, err := e.cfg.Dial(ctx, "tcp", net.JoinHostPort(host, portOf(u)))
	if err != nil {
		e.addFinding(Error, AddressAnswers, fmt.Sprintf("Nobody answers at %s: %v.", u.Host, e.describeError(err)),
			"Start the provider, check the name, and let the firewall pass port "+portOf(u)+".")
		return
	}
	defer func() { _ = raw.Close() }()
	e.checkRemoteAddr(host, raw.RemoteAddr())
	// The certificate is verified below, part by part, so that each fault has its
	// own name; nothing is sent over this connection.
	conn := tls.Client(raw, &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}) //nolint:gosec // verified below; old versions are to be found
	if err := conn.HandshakeContext(ctx); err != nil {
		e.addFinding(Error, TLSVersion, fmt.Sprintf("%s does not speak TLS: %v.", u.Host, e.describeError(err)),
			"Serve https there: a certificate in the configuration, or a proxy in front that has one.")
		return
	}
	defer func() { _ = conn.Close() }()
	state := conn.ConnectionState()
	if state.Version < tls.VersionTLS12 {
		e.addFinding(Error, TLSVersion, fmt.Sprintf("%s offers nothing newer than %s.", u.Host, tls.VersionName(state.Version)),
			"Allow TLS 1.2 and 1.3 in the server or proxy that has the certificate.")
	} else {
		e.addOK(TLSVersion, fmt.Sprintf("%s speaks %s.", u.Host, tls.VersionName(state.Version)))
	}
	if len(state.PeerCertificates) > 0 {
		e.checkCertificate(u.Host, host, state.PeerCertificates)
	}
}

// checkRemoteAddr notices a public name that leads to a private address from here.
func (e *exam) checkRemoteAddr(host string, remote net.Addr) {
	ap, err := netip.ParseAddrPort(remote.String())
	if err != nil || whyNotPublic(host) != "" {
		return
	}
	if ip := ap.Addr().Unmap(); ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		level := Warn
		if e.cfg.Local {
			level = Note
		}
		e.addFinding(level, AddressPublic, fmt.Sprintf("From here %s leads to %s, an address of a private network.", host, ip),
			"Look the name up from outside your network: LivePerson must be led to a public address.")
		return
	}
	e.addOK(AddressAnswers, fmt.Sprintf("%s answers at %s.", host, remote))
}

// checkCertificate judges a chain as it was sent, the server's own first.
func (e *exam) checkCertificate(shown, host string, chain []*x509.Certificate) {
	leaf, now := chain[0], e.cfg.Now()
	if err := leaf.VerifyHostname(host); err != nil {
		e.addFinding(Error, TLSName, fmt.Sprintf("The certificate of %s is not for that name.", shown),
			"Get a certificate that lists the name, or let the name lead to the server that has it.", err.Error())
	} else {
		e.addOK(TLSName, fmt.Sprintf("The certificate of %s is for that name.", shown))
	}
	e.checkExpiry(shown, chain, now)
	e.checkTrust(shown, chain, now)
}

func (e *exam) checkExpiry(shown string, chain []*x509.Certificate, now time.Time) {
	first := chain[0]
	for _, c := range chain[1:] {
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	day := first.NotAfter.UTC().Format("2 January 2006 15:04 UTC")
	const renew = "Renew the certificate, load it, and let the renewal run by itself."
	switch left := first.NotAfter.Sub(now); {
	case now.Before(chain[0].NotBefore):
		e.addFinding(Error, TLSExpiry, fmt.Sprintf("The certificate of %s is not valid before %s.", shown, chain[0].NotBefore.UTC().Format(time.RFC1123)),
			"Correct the clock of this machine if it is wrong; otherwise use the certificate once it is valid.")
	case left <= 0:
		e.addFinding(Error, TLSExpiry, fmt.Sprintf("The certificate of %s expired on %s.", shown, day), renew)
	case left < expiryWarning:
		e.addFinding(Warn, TLSExpiry, fmt.Sprintf("The certificate of %s expires in %d days, on %s.", shown, int(left/(24*time.Hour)), day), renew)
	default:
		e.addOK(TLSExpiry, fmt.Sprintf("The certificate of %s is valid until %s.", shown, day))
	}
}

// checkTrust verifies the chain up to a root. Its dates were judged already, so it is
// verified at a time when the server's own was valid.
func (e *exam) checkTrust(shown string, chain []*x509.Certificate, now time.Time) {
	leaf, last := chain[0], chain[len(chain)-1]
	if now.After(leaf.NotAfter) {
		now = leaf.NotAfter
	}
	if now.Before(leaf.NotBefore) {
		now = leaf.NotBefore
	}
	sent := x509.NewCertPool()
	for _, c := range chain[1:] {
		sent.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: e.cfg.RootCAs, Intermediates: sent, CurrentTime: now})
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, rootless := errors.AsType[x509.SystemRootsError](err)
	selfSigned := bytes.Equal(last.RawIssuer, last.RawSubject)
	switch {
	case err == nil && e.cfg.RootCAs != nil:
		e.addUnreachable(TLSTrust, fmt.Sprintf("The certificate of %s was verified by authorities that were named for this examination.", shown),
			"Run the examination without naming authorities: LivePerson believes public ones only.", "issued by "+last.Issuer.String())
	case err == nil:
		e.addOK(TLSTrust, fmt.Sprintf("The certificate of %s is issued by a public authority, and its chain is complete.", shown))
	case rootless:
		e.addFinding(Skip, TLSTrust, "This machine has no list of public authorities, so no certificate can be verified.",
			"Install it (Debian's package is ca-certificates) and run the examination again.", err.Error())
	case unknown && selfSigned:
		e.addFinding(Error, TLSTrust, fmt.Sprintf("The certificate of %s ends at %s, which no public authority vouches for.", shown, last.Subject),
			"Get a certificate from a public authority, such as Let's Encrypt: LivePerson believes no other.")
	case unknown:
		e.addFinding(Error, TLSChain, fmt.Sprintf("%s sends %d of the certificates, and %s, who issued the last of them, is not among them.", shown, len(chain), last.Issuer),
			"Put the intermediate certificate behind your own in the certificate file (Let's Encrypt: fullchain.pem, not cert.pem). "+
				"Browsers fetch a missing one by themselves, servers do not.")
	default:
		e.addFinding(Error, TLSTrust, fmt.Sprintf("The certificate of %s cannot be verified: %v.", shown, err), "Get another one from a public authority.")
	}
}
