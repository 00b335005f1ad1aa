// Package jwtclaims reads the claims of signed JWTs strictly, so that no two readers can
// understand the same token differently.
package jwtclaims

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// Claims are the claims of a signed JWT, by their exact names: names are
// case-sensitive, and a claim that the reader does not ask for is ignored (RFC 7519
// sections 4 and 10.1.1).
type Claims map[string]json.RawMessage

// latestTime is the latest time that a claim can have: the end of the year 9999.
const latestTime = 253_402_300_799

// Parse parses the payload of a JWT: one JSON object of valid UTF-8, in which no
// name occurs twice.
func Parse(payload []byte) (Claims, error) {
	if !utf8.Valid(payload) {
		return nil, errors.New("the claims are not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(errors.New("the claims are not a JSON object"), err)
	}
	claims := Claims{}
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

// ReadString returns a claim that is a string. It reports false if it is absent or of
// another type.
func (c Claims) ReadString(name string) (string, bool) {
	var s *string
	if json.Unmarshal(c[name], &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// ReadTime returns a claim that is a NumericDate: a number from 0 to the year 9999 (RFC 7519
// section 2). It returns the zero time if the claim is absent.
func (c Claims) ReadTime(name string) (time.Time, error) {
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

const (
	maxDepth   = 10
	maxInteger = 1 << 53 // larger integers change when they are read as a float64
)

// Decode returns all claims as JSON values. It refuses an object in which a name occurs
// twice, a number that a float64 cannot hold exactly or at all, and deep nesting.
func (c Claims) Decode() (map[string]any, error) {
	all := make(map[string]any, len(c))
	for name, raw := range c {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		value, err := decodeValue(dec, maxDepth)
		if err != nil {
			return nil, err
		}
		all[name] = value
	}
	return all, nil
}

// decodeValue decodes the next value, with at most depth levels of lists and objects.
func decodeValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Number:
		return decodeNumber(t)
	case json.Delim:
		if depth == 0 {
			return nil, errors.New("the claims are nested too deeply")
		}
		if t == '[' {
			return decodeList(dec, depth-1)
		}
		return decodeObject(dec, depth-1)
	}
	return token, nil
}

func decodeNumber(number json.Number) (float64, error) {
	value, err := number.Float64()
	if err != nil || math.Trunc(value) == value && math.Abs(value) > maxInteger {
		return 0, errors.New("a number is too large; use a string")
	}
	return value, nil
}

func decodeList(dec *json.Decoder, depth int) ([]any, error) {
	list := []any{}
	for dec.More() {
		value, err := decodeValue(dec, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := dec.Token()
	return list, err
}

func decodeObject(dec *json.Decoder, depth int) (map[string]any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if _, twice := object[name]; twice {
			return nil, errors.New("a name occurs twice in a claim")
		}
		if object[name], err = decodeValue(dec, depth); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return object, err
}
