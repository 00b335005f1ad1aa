package explain

import (
	"net/http"
	"strconv"

	"idpbridge/liveengage"
)

// socketErrors are those of the messaging socket.
func socketErrors() []ErrorCode {
	authenticate := "Authenticate again with a new token of yours."
	return []ErrorCode{{
		Code: strconv.Itoa(liveengage.CloseTokenInvalid), Name: "socket closed",
		Meaning: "The messaging service closed its socket because LivePerson's token is not valid, has expired, or is " +
			"for another account.",
		Causes: []string{
			"Your token has expired, and with it LivePerson's, which is valid as long as yours.",
			"Your token was sent to the socket, which accepts only LivePerson's.",
			"The URL has a different account number.",
		},
		Remedies: []string{
			authenticate,
			"If the socket closes immediately, compare the account in its URL with aud in LivePerson's token, acc:ACCOUNT.",
		},
		Source: "Explained in a public thread, and published logs contain it; LivePerson does not document it.",
	}, {
		Code: strconv.Itoa(liveengage.CloseTokenRevoked), Name: "socket closed: token revoked",
		Meaning: "The messaging service closed its socket because LivePerson's token was revoked.",
		Causes: []string{
			"The consumer or the agent signed out.",
			"An agent's session was ended, for example by a login elsewhere.",
		},
		Remedies: []string{authenticate, "For an agent, log in again: idp liveengage login."},
		Source: "LivePerson's own Agent SDK treats it like " + strconv.Itoa(liveengage.CloseTokenInvalid) +
			"; LivePerson does not document it.",
	}, {
		Code: strconv.Itoa(http.StatusServiceUnavailable), Name: "socket not opened",
		Meaning: "As the response to opening a messaging socket: Messaging may be off for the account. From other " +
			"services, it means that the service is not available at the moment.",
		Causes: []string{
			"The account does not have the feature Async_Messaging.",
			"The service is down or overloaded.",
		},
		Remedies: []string{
			"Ask LivePerson whether Messaging is enabled for the account.",
			"If it is, try again after 5, 10 and 15 seconds, then at growing intervals.",
		},
		Source: "From a public thread; LivePerson does not document it.",
	}}
}
