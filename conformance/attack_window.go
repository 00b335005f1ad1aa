package conformance

import "strings"

// windowAttacks are links to LivePerson's window, which all LiveEngage accounts share.
func windowAttacks() []Check {
	return []Check{{
		Name: "attack/96-window-of-another-account",
		Requirement: "LivePerson's window gets a response only if its settings name the brand's account exactly once; " +
			"anything else leads to an error page.",
		do: checkWindowAccount,
	}}
}

func checkWindowAccount(r *run) {
	r.skipWithout("client with LivePerson's window", r.target.Chat.ID != "")
	account := r.target.ChatAccount
	settings := `"lpUnifiedWindowConfig":{"accountId":"` + account + `","env":"prod"}`
	for _, responseType := range r.supportedTypes("code", "id_token") {
		request := r.newRequest(r.target.Chat, variant{responseType: responseType}, "state", "{"+settings+"}")
		b := r.browser()
		response := b.signIn(request)
		r.require(response.Get("error") == "" && response.Get("state") == "{"+settings+"}",
			"the window of the brand's account does not get a response with %s", responseType)
		for _, state := range []string{
			strings.Replace("{"+settings+"}", account, "99999999", 1),
			"", "state", "{}", `{"lpUnifiedWindowConfig":{}}`, `["` + account + `"]`, "{" + settings,
			`{"lpUnifiedWindowConfig":{"accountId":"` + account + `","accountId":"99999999"}}`,
			`{"lpUnifiedWindowConfig":{"accountId":"99999999","accountId":"` + account + `"}}`,
			`{"lpUnifiedWindowConfig":{"accountId":"` + account + `","account\u0049d":"99999999"}}`,
			`{"lpUnifiedWindowConfig":{"accountId":"` + account + `","AccountId":"99999999"}}`,
			`{` + settings + `,"lpUnifiedWindowConfig":{"accountId":"99999999"}}`,
			`{"accountId":"99999999",` + settings + `}`, "{" + settings + "}{" + settings + "}",
		} {
			request.Set("state", state)
			r.requireErrorPage(b.authorize(request), "signed in, with "+responseType+" and the state "+state)
			r.requireErrorPage(r.browser().authorize(request), "not signed in, with the state "+state)
		}
		twice := r.authorizationURL(r.newRequest(r.target.Chat, variant{responseType: responseType}, "state", "")) +
			"&state=%7B%7D&state=%7B%7D"
		r.requireErrorPage(b.get(twice), "state occurs twice")
	}
}
