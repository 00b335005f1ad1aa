package sim

import (
	"time"

	"idpbridge/liveengage"
)

// consumer is somebody who chats, by the subject of LivePerson's own token.
type consumer struct {
	Subject       string
	Authenticated bool
	Method        string // how they authenticated, in words
	ConnectorID   int64
	Identity      identity
	Since         time.Time
	BotTokens     botTokens // zero: no delegation
}

// admitConsumer makes LivePerson's own token for somebody whose token was verified, and
// keeps what the agent is shown.
func (s *Simulator) admitConsumer(c Connector, id identity, method string, t tokenResponse) (string, error) {
	if id.Encrypted {
		method += ", encrypted"
	}
	p := &consumer{
		Subject: consumerSubject(id.Issuer, id.Subject), Authenticated: true, Method: method, ConnectorID: c.ID,
		Identity: id, Since: s.Now(),
	}
	if t.RefreshToken != "" {
		p.BotTokens = t.botTokens(c, s.Now())
	}
	s.mu.Lock()
	s.consumers.put(p.Subject, p)
	s.mu.Unlock()
	own := ownClaims{Subject: p.Subject, Audience: "acc:" + s.Account, Issuer: liveengage.TokenIssuer, Expires: id.Expires, IssuedAt: id.IssuedAt}
	own.Extension = &ownExtension{Subject: id.Subject, Issuer: id.Issuer}
	if !id.SDEs.Empty() {
		raw, err := id.SDEs.MarshalJSON()
		if err != nil {
			return "", err
		}
		own.Extension.SDEs = s.keyring.encryptSDEs(raw)
	}
	return s.keyring.issueToken(own)
}

// admitVisitor makes LivePerson's own token for somebody who is not signed in.
func (s *Simulator) admitVisitor(subject string, expires time.Time) (string, error) {
	s.mu.Lock()
	if _, ok := s.consumers.get(subject); !ok {
		s.consumers.put(subject, &consumer{Subject: subject, Method: "none: a visitor", Since: s.Now()})
	}
	s.mu.Unlock()
	return s.keyring.issueToken(ownClaims{
		Subject: subject, Audience: "acc:" + s.Account, Issuer: liveengage.TokenIssuer,
		Expires: expires.Unix(), IssuedAt: s.Now().Unix(),
	})
}
