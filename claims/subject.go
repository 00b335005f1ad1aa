package claims

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Subjects derives subjects from a brand's customer ids. A subject is opaque, the
// same at every sign-in and on every domain of the brand, and reveals nothing without
// the key. Subjects is safe for concurrent use.
type Subjects struct {
	key   []byte
	known map[string]string
}

// subjectKeyBytes is the length of the key.
const subjectKeyBytes = 32

// NewSubjects returns Subjects with a key of 32 bytes. The key must never change: with
// another key every customer gets another subject. Known maps customer ids to subjects
// that LivePerson has already, which stay as they are; it may be nil.
func NewSubjects(key []byte, known map[string]string) (*Subjects, error) {
	if len(key) != subjectKeyBytes {
		return nil, fmt.Errorf("the key for subjects has %d bytes; want %d", len(key), subjectKeyBytes)
	}
	return &Subjects{key: slices.Clone(key), known: maps.Clone(known)}, nil
}

// Of returns the subject of a customer: the known one, or else the HMAC-SHA256 of the
// customer id under the key, in base64url without padding (43 characters). Ids are
// compared byte for byte. An empty id has no subject.
func (s *Subjects) Of(customerID string) string {
	if customerID == "" {
		return ""
	}
	if sub, ok := s.known[customerID]; ok {
		return sub
	}
	mac := hmac.New(sha256.New, s.key)
	_, _ = mac.Write([]byte(customerID)) // never fails (hash.Hash)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// WhyGuessable returns why others can guess a subject: it is "an email address" or "a
// phone number". It returns the empty string if it is neither. Digits without
// punctuation may be an id of the brand, so they do not count as a phone number.
func WhyGuessable(subject string) string {
	if isEmail(strings.TrimPrefix(subject, "mailto:")) {
		return "an email address"
	}
	if isPhone(subject) {
		return "a phone number"
	}
	return ""
}

// isPhone accepts the usual ways to write a number of 7 to 15 digits (E.164): with
// the scheme tel, with a leading +, or in groups.
func isPhone(s string) bool {
	number, scheme := strings.CutPrefix(s, "tel:")
	digits := 0
	for _, c := range number {
		if c >= '0' && c <= '9' {
			digits++
		} else if !strings.ContainsRune("+ ().-/", c) {
			return false
		}
	}
	punctuated := digits < len(number)
	return digits >= 7 && digits <= 15 && (scheme || punctuated) && strings.LastIndexByte(number, '+') <= 0
}
