package explain

import (
	"strconv"

	"idpbridge/liveengage"
)

const (
	fromLoginLogs = "Published logs contain the number and the message; LivePerson does not document it."
	fromSimulator = "idp's simulator sends it. It is not known whether LivePerson uses the same number."
)

// Remedies for agents and API keys.
const (
	logInAgain   = "Log in again: idp liveengage login."
	signAgain    = "Sign the request again and compare: idp liveengage sign prints the header for any request."
	checkKey     = "Compare the four values with the key in LiveEngage, under Campaigns, Data Sources, API."
	sendWhole    = "Pass the whole response to idp liveengage explain; the message says which error it is."
	fromProblems = "From the OAuth Problem Reporting extension, which LivePerson's services use; the causes are our " +
		"interpretation."
)

// loginErrors are the numbers of the Login Service, which other services for agents use
// as well.
func loginErrors() []ErrorCode {
	return []ErrorCode{{
		Code: strconv.Itoa(liveengage.LoginRejected), Name: "rejected, for one of several reasons",
		Meaning: "Several services use this number: the Login Service for a wrong csrf value or a captcha, agent APIs " +
			"for an invalid session, and the older chat server for a customer that it could not authenticate.",
		Causes:   []string{"The message beside the number says which."},
		Remedies: []string{sendWhole},
		Source:   fromLoginLogs,
	}, {
		Code: strconv.Itoa(liveengage.LoginBadCredentials), Name: "bad credentials",
		Meaning: "The Login Service rejected the user name, the password or the API key.",
		Causes: []string{
			"The user name or the password is wrong, or belongs to another account.",
			"The user is disabled, which LivePerson does after several wrong passwords.",
			"The four values of the API key were mixed up, or the key is not one of a bot user.",
		},
		Remedies: []string{
			"Do not try again at once: more wrong passwords may disable the user.",
			checkKey,
		},
		Source: fromSimulator,
	}, {
		Code: strconv.Itoa(liveengage.LoginSessionExpired), Name: "the session has expired",
		Meaning:  "The session or the bearer is not valid or has expired.",
		Causes:   []string{"The session was not refreshed, or was ended by a logout."},
		Remedies: []string{logInAgain, "Refresh a session every 3 to 5 minutes."},
		Source:   fromSimulator,
	}, {
		Code: strconv.Itoa(liveengage.LoginBadRequest), Name: "bad request",
		Meaning:  "The service could not read the request.",
		Causes:   []string{"The query parameter v is missing.", "The body is not the expected JSON."},
		Remedies: []string{"Send v=1.3 and JSON with username and password, or with the four values of an API key."},
		Source:   fromSimulator,
	}, {
		Code: strconv.Itoa(liveengage.LoginBadAuthHeader), Name: "bad Authorization header",
		Meaning: "The service could not use the Authorization header.",
		Causes: []string{
			"The header's scheme is not the one that the service expects: OAuth for an API key, Bearer for a session.",
			"The header has a line break, or a proxy removed it.",
			"The signature was rejected; the message then has oauth_problem.",
		},
		Remedies: []string{sendWhole, signAgain},
		Source:   fromLoginLogs,
	}}
}

// messageErrors are errors whose number has several meanings. Their names are how the
// message begins.
func messageErrors() []ErrorCode {
	ten := strconv.Itoa(liveengage.LoginRejected)
	return []ErrorCode{{
		Code: ten, Name: "CSRF token invalid",
		Meaning: "The csrf value in the body is not that of the session.",
		Causes: []string{
			"The value is from an earlier login.",
			"The cookie Session_id was not sent, or is that of another session.",
		},
		Remedies: []string{"Send the csrf value and the cookie of the same login.", logInAgain},
		Source:   fromDocs,
	}, {
		Code: ten, Name: "Bad captcha",
		Meaning: "The Login Service wants a captcha, which a program cannot solve. The password was not checked.",
		Causes: []string{
			"There were several wrong passwords for this user or from this address.",
			"The user is a person. Programs should log in as a bot user.",
		},
		Remedies: []string{
			"Stop trying, and log in once in the browser, where the captcha can be solved.",
			"Use a bot user with an API key, or OAuth 2.0 client credentials, for programs.",
		},
		Source: fromLoginLogs,
	}, {
		Code: ten, Name: "Failed to validate user with customer authentication service",
		Meaning: "The older chat server, which messaging does not use, rejected the customer with status 401.",
		Causes: []string{
			"The same as for 9007 or 9011: the key does not match, or your token endpoint rejected the code.",
		},
		Remedies: []string{inspectToken, pasteKey, runDoctor},
		Source:   fromLogs,
	}}
}
