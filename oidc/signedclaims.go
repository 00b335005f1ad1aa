package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// signedClaims are the claims of a signed JWT, by their exact names: names are
// case-sensitive, and a claim that the reader does not ask for is ignored (RFC 7519
// sections 4 and 10.1.1).
type signedClaims map[string]json.RawMessage

// latestTime is the latest time that a claim can have: the end of the year 9999.
const latestTime = 253_402_300_799

// parseSignedClaims parses the payload of a JWT: one JSON object of valid UTF-8, in which no
// name occurs twice.
func parseSignedClaims(payload []byte) (signedClaims, error) {
	if !utf8.Valid(payload) {
		return nil, errors.New("the claims are not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(errors.New("the claims are not a JSON object"), err)
	}
	claims := signedClaims{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := name.(string)
		if _, twice := claims[key]; twice {
			return nil, errors.New("a claim occurs twice")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		claims[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the claims")
	}
	return claims, nil
}

// readString returns a claim that is a string. It reports false if it is absent or of
// another type.
func (c signedClaims) readString(name string) (string, bool) {
	var s *string
	if json.Unmarshal(c[name], &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// readTime returns a claim that is a NumericDate: a number from 0 to the year 9999 (RFC 7519
// section 2). It returns the zero time if the claim is absent.
func (c signedClaims) readTime(name string) (time.Time, error) {
	raw, ok := c[name]
	if !ok {
		return time.Time{}, nil
	}
	var seconds *float64
	if json.Unmarshal(raw, &seconds) != nil || seconds == nil || *seconds < 0 || *seconds > latestTime {
		return time.Time{}, errors.New(name + " is not a number of seconds since 1970")
	}
	whole, part := math.Modf(*seconds)
	return time.Unix(int64(whole), int64(part*1e9)), nil
}
