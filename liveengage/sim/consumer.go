package sim

import (
	"time"

	"idpbridge/liveengage"
)

// visitorMethod is the method of a visitor.
const visitorMethod = "none: a visitor"

// consumer is a person who chats. The ID is the subject of LivePerson's own token.
type consumer struct {
	Subject       string
	Authenticated bool
	Method        string // how the consumer was authenticated, for people to read
	ConnectorID   int64
	Identity      identity
	Since         time.Time
	BotTokens     botTokens // zero without delegation
}

// admitConsumer records a consumer whose token was verified and issues LivePerson's own
// token.
func (s *Simulator) admitConsumer(c Connector, id identity, method string, t tokenResponse) (string, error) {
	if id.Encrypted {
		method += ", encrypted"
	}
	p := &consumer{
		Subject:       consumerSubject(id.Issuer, id.Subject),
		Authenticated: true,
		Method:        method,
		ConnectorID:   c.ID,
		Identity:      id,
		Since:         s.Now(),
	}
	if t.RefreshToken != "" {
		p.BotTokens = t.botTokens(c, s.Now())
	}
	s.mu.Lock()
	s.consumers.put(p.Subject, p)
	s.mu.Unlock()
	own := ownClaims{
		Subject:   p.Subject,
		Audience:  "acc:" + s.Account,
		Issuer:    liveengage.Issuer,
		Expires:   id.Expires,
		IssuedAt:  id.IssuedAt,
		Extension: &ownExtension{Subject: id.Subject, Issuer: id.Issuer},
	}
	if !id.SDEs.Empty() {
		raw, err := id.SDEs.MarshalJSON()
		if err != nil {
			return "", err
		}
		own.Extension.SDEs = s.keyring.encryptSDEs(raw)
	}
	return s.keyring.issueToken(own)
}

// admitVisitor records a consumer who is not signed in and issues LivePerson's own
// token.
func (s *Simulator) admitVisitor(subject string, expires time.Time) (string, error) {
	s.mu.Lock()
	if _, ok := s.consumers.get(subject); !ok {
		s.consumers.put(subject, &consumer{Subject: subject, Method: visitorMethod, Since: s.Now()})
	}
	s.mu.Unlock()
	return s.keyring.issueToken(ownClaims{
		Subject:  subject,
		Audience: "acc:" + s.Account,
		Issuer:   liveengage.Issuer,
		Expires:  expires.Unix(),
		IssuedAt: s.Now().Unix(),
	})
}
