package liveengage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// windowFolder begins the path of the pop-out window, also of an older version of it:
// /le_unified_window/8.2.0.0-release_1705/index.html.
const windowFolder = "/le_unified_window/"

// IsWindowURI reports whether a redirect URI is the pop-out window, at LivePerson or in
// a simulator. All accounts share LivePerson's window: which account gets what it
// receives is in the request.
func IsWindowURI(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	return strings.HasPrefix(u.Path, windowFolder) || host == MediaDomain || strings.HasSuffix(host, "."+MediaDomain)
}

// Website is the host of LivePerson's website. It is an endpoint of no client.
const Website = "liveperson.net"

// IsWebsite reports whether a URI is on LivePerson's website, as EmbeddedRedirectURI is.
func IsWebsite(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	return strings.TrimPrefix(host, "www.") == Website
}

// IsAccount reports whether a string can be the number of a LiveEngage account: digits
// and letters, so that it cannot change a URL that it becomes part of.
func IsAccount(account string) bool {
	return account != "" && len(account) <= 32 && !strings.ContainsFunc(account, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// DelegationAccount returns the account in the redirect URI of consumer delegation,
// https://…liveperson.net/callback/ACCOUNT/redirectCode, and whether it is one.
func DelegationAccount(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || !strings.HasSuffix(strings.ToLower(u.Hostname()), "."+Website) {
		return "", false
	}
	rest, found := strings.CutSuffix(u.Path, DelegationPath)
	account, isCallback := strings.CutPrefix(rest, "/callback/")
	return account, found && isCallback && account != "" && !strings.Contains(account, "/")
}

// WindowState returns a state as LivePerson's window sends it, as far as it matters to an
// identity provider. The session makes it unique.
func WindowState(account, session string) string {
	config := map[string]any{
		memberAccount: account, "env": "prod", "external": true,
		"engConf": map[string]any{"async": true, "ssid": session},
	}
	state, err := json.Marshal(map[string]any{WindowQueryKey: config})
	if err != nil {
		return "" // cannot happen: it has only strings and booleans
	}
	return string(state)
}

// errTwoWindowStates is returned for a request with two places that may name an account.
var errTwoWindowStates = errors.New("both the redirect URI and state may name an account")

// WindowAccount returns the account that the pop-out window belongs to, by the redirect
// URI and the state of its authorization request. With RFC compliance, state is
// {"lpUnifiedWindowConfig":{"accountId":…}}. Without it, the redirect URI has a query
// with lpUnifiedWindowConfig, and the value is the same object or the inner one.
//
// There is an error unless the account is named exactly once. JSON parsers disagree on
// members that occur twice, or in another case, so that counts as twice.
func WindowAccount(redirectURI, state string) (string, error) {
	_, query, _ := strings.Cut(redirectURI, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("the query of the redirect URI is damaged")
	}
	legacy := values[WindowQueryKey]
	if len(legacy) == 0 {
		return readAgreedAccount(state, false)
	}
	if len(legacy) > 1 || strings.Trim(state, unreservedInURL) != "" {
		return "", errTwoWindowStates
	}
	return readAgreedAccount(legacy[0], true)
}

// readAgreedAccount reads the account from the window's settings. A page may decode what it
// received once more, so the settings must name the same account when they are percent-decoded
// again, if they are JSON then.
func readAgreedAccount(state string, legacy bool) (string, error) {
	account, err := readWindowState(state, legacy)
	for range 2 {
		again, damaged := url.PathUnescape(state)
		if err != nil || damaged != nil || again == state || !json.Valid([]byte(again)) {
			return account, err
		}
		state = again
		other, otherErr := readWindowState(state, legacy)
		if err = otherErr; err == nil && other != account {
			err = fmt.Errorf("%s is another one when the settings are decoded twice", memberAccount)
		}
	}
	return account, err
}

// unreservedInURL are the characters of RFC 3986 section 2.3. A state of these is no
// JSON, and none after decoding it once more.
const unreservedInURL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

// readWindowState reads the account from the window's settings. In the legacy dialect,
// the outer object may be missing.
func readWindowState(state string, legacy bool) (string, error) {
	outer, err := readMembers([]byte(state))
	if err != nil {
		return "", err
	}
	config, err := outer.only(WindowQueryKey)
	if legacy && err != nil && !outer.has(WindowQueryKey) {
		return outer.account()
	}
	if err != nil {
		return "", err
	}
	if outer.has(memberAccount) {
		return "", fmt.Errorf("%s occurs twice", memberAccount)
	}
	inner, err := readMembers(config)
	if err != nil {
		return "", err
	}
	return inner.account()
}

// memberAccount is the member of the window's settings that has the account.
const memberAccount = "accountId"

// objectMember is one member of a JSON object. encoding/json cannot keep two of the same
// name.
type objectMember struct {
	name  string
	value json.RawMessage
}

type objectMembers []objectMember

// readMembers reads a JSON object.
func readMembers(raw []byte) (objectMembers, error) {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, errors.New("the window's settings are not JSON")
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("the window's settings are not a JSON object")
	}
	var out objectMembers
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // it is a name: the JSON is valid
		if name == "__proto__" {
			return nil, errors.New("the window's settings have a member __proto__") // JavaScript may inherit from it
		}
		m := objectMember{name: name}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// has reports whether there is a member with that name, in any case.
func (members objectMembers) has(name string) bool {
	for _, m := range members {
		if strings.EqualFold(m.name, name) {
			return true
		}
	}
	return false
}

// only returns the only member with that name. Another one in another case counts.
func (members objectMembers) only(name string) (json.RawMessage, error) {
	var found []objectMember
	for _, m := range members {
		if strings.EqualFold(m.name, name) {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s is missing", name)
	}
	if len(found) > 1 || found[0].name != name {
		return nil, fmt.Errorf("%s occurs twice, or in another case", name)
	}
	return found[0].value, nil
}

// account returns the account, which is a string or a number.
func (members objectMembers) account() (string, error) {
	value, err := members.only(memberAccount)
	if err != nil {
		return "", err
	}
	var account string
	if json.Unmarshal(value, &account) != nil {
		account = string(value)
	}
	if !IsAccount(account) {
		return "", fmt.Errorf("%s is not an account number", memberAccount)
	}
	return account, nil
}
