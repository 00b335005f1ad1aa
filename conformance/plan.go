package conformance

import (
	"slices"
	"strings"
)

// module is a module of the Foundation's suite.
type module struct {
	name        string
	requirement string
	appliesTo   func(responseType string) bool
	serial      bool // see Check.Serial
	do          func(r *run, v variant)
}

// The response types that a module applies to.
func anyType(string) bool             { return true }
func hasCode(t string) bool           { return slices.Contains(strings.Fields(t), "code") }
func isCode(t string) bool            { return t == "code" }
func isIDToken(t string) bool         { return t == "id_token" }
func hasAccessToken(t string) bool    { return !isIDToken(t) }
func hasFrontIDToken(t string) bool   { return slices.Contains(strings.Fields(t), "id_token") }
func lacksFrontIDToken(t string) bool { return !hasFrontIDToken(t) }

// plan is a certification plan of the suite: a list of modules for each of
// several response types.
type plan struct {
	name     string
	types    []string
	mode     string
	modules  []module
	brackets bool // whether the names of the checks include the variant
}

// planChecks returns the certification plans for an OpenID provider with static
// clients.
func planChecks() []Check {
	basic := []string{"code"}
	implicit := []string{"id_token", "id_token token"}
	hybrid := []string{"code id_token", "code token", "code id_token token"}
	logout := slices.Concat(basic, implicit, hybrid)
	var out []Check
	for _, p := range []plan{
		{"basic", basic, "", coreModules(), false},
		{"implicit", implicit, "", coreModules(), true},
		{"hybrid", hybrid, "", coreModules(), true},
		{"formpost-basic", basic, "form_post", coreModules(), true},
		{"formpost-implicit", implicit, "form_post", coreModules(), true},
		{"formpost-hybrid", hybrid, "form_post", coreModules(), true},
		{"config", basic, "", configModules(), false},
		{"rp-initiated-logout", logout, "", logoutModules(), true},
		{"backchannel-logout", logout, "", backchannelModules(), true},
		{"frontchannel-logout", logout, "", frontchannelModules(), true},
	} {
		out = append(out, p.expandChecks()...)
	}
	return out
}

func (p plan) expandChecks() []Check {
	var out []Check
	for _, t := range p.types {
		for _, m := range p.modules {
			if m.appliesTo != nil && !m.appliesTo(t) {
				continue
			}
			v := variant{responseType: t, responseMode: p.mode}
			name := p.name + "/" + m.name
			if p.brackets {
				name += "[" + v.String() + "]"
			}
			out = append(out, Check{Name: name, Requirement: m.requirement, Serial: m.serial, do: func(r *run) {
				r.skipUnsupported(v)
				m.do(r, v)
			}})
		}
	}
	return out
}

// coreModules returns the modules that the plans Basic, Implicit, Hybrid and
// Form Post share.
func coreModules() []module {
	return slices.Concat(flowModules(), authorizeModules(), requestModules(), promptModules(), claimModules(),
		codeModules())
}
