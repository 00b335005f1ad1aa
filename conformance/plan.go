package conformance

import (
	"slices"
	"strings"
)

// module is a module of the Foundation's suite: its name there, what it demands,
// and which response types it is for.
type module struct {
	name  string
	says  string
	fits  func(responseType string) bool
	alone bool // see Check.Alone
	do    func(r *run, v variant)
}

// The response types that a module may be for.
func always(string) bool         { return true }
func coded(t string) bool        { return slices.Contains(strings.Fields(t), "code") }
func onlyCode(t string) bool     { return t == "code" }
func onlyIDToken(t string) bool  { return t == "id_token" }
func withAccess(t string) bool   { return !onlyIDToken(t) }
func frontIDToken(t string) bool { return slices.Contains(strings.Fields(t), "id_token") }
func noFrontID(t string) bool    { return !frontIDToken(t) }

// plan is a certification plan of the suite: modules for each of some variants.
type plan struct {
	name     string
	types    []string
	mode     string
	modules  []module
	brackets bool // whether a check's name says its variant
}

// plans are the certification plans for an OpenID provider with static clients.
func plans() []Check {
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
		out = append(out, p.checks()...)
	}
	return out
}

func (p plan) checks() []Check {
	var out []Check
	for _, t := range p.types {
		for _, m := range p.modules {
			if m.fits != nil && !m.fits(t) {
				continue
			}
			v := variant{responseType: t, responseMode: p.mode}
			name := p.name + "/" + m.name
			if p.brackets {
				name += "[" + v.String() + "]"
			}
			out = append(out, Check{Name: name, Says: m.says, Alone: m.alone, do: func(r *run) {
				r.in(v)
				m.do(r, v)
			}})
		}
	}
	return out
}

// coreModules are those that the plans Basic, Implicit, Hybrid and Form Post
// share.
func coreModules() []module {
	return slices.Concat(flowModules(), requestModules(), promptModules(), claimModules(), codeModules())
}
