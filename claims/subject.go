package claims

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"strings"
)

// Subjects makes subjects of a brand's own customer ids: opaque, the same at each
// sign-in and for every domain of the brand, and of no use to whoever does not have
// the key. It is safe for concurrent use.
type Subjects struct {
	key   []byte
	known map[string]string
}

// subjectKeyBytes is the length of the key.
const subjectKeyBytes = 32

// NewSubjects returns Subjects with a key of 32 bytes. The key must never change:
// a new one makes strangers of all customers. Known holds subjects by customer id
// that LivePerson has from earlier, which stay as they are; it may be nil.
func NewSubjects(key []byte, known map[string]string) (*Subjects, error) {
	if len(key) != subjectKeyBytes {
		return nil, errors.New("the key of the subjects does not have 32 bytes")
	}
	return &Subjects{key: append([]byte{}, key...), known: maps.Clone(known)}, nil
}

// Of is the subject of the customer with that id: the one that is known, else the
// HMAC-SHA256 of the id's bytes under the key, in base64url without padding, 43
// characters. Ids are compared byte for byte; an empty one has no subject.
func (s *Subjects) Of(customer string) string {
	if customer == "" {
		return ""
	}
	if sub, ok := s.known[customer]; ok {
		return sub
	}
	mac := hmac.New(sha256.New, s.key)
	_, _ = mac.Write([]byte(customer)) // never fails (hash.Hash)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// WhyGuessable says what makes a subject one that others can guess, an e-mail address
// or a phone number; it is empty where nothing does. Digits alone may be a number
// of the brand's, so they are not taken for a phone number.
func WhyGuessable(subject string) string {
	switch {
	case isEmail(strings.TrimPrefix(subject, "mailto:")):
		return "an e-mail address"
	case isPhone(subject):
		return "a phone number"
	}
	return ""
}

// isPhone accepts what people write for a number of 7 to 15 digits (E.164): with
// the scheme tel, with the sign + in front, or in groups.
func isPhone(s string) bool {
	number, scheme := strings.CutPrefix(s, "tel:")
	digits := 0
	for _, c := range number {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case !strings.ContainsRune("+ ().-/", c):
			return false
		}
	}
	return digits >= 7 && digits <= 15 && (scheme || digits < len(number)) && strings.LastIndexByte(number, '+') <= 0
}
