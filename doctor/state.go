package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"idpbridge/liveengage"
)

// RedirectState is the code of checkState.
const RedirectState Code = "redirect-state"

// Sizes of the state parameter: usualState is what LivePerson's window was seen to
// send, largeState leaves room for more.
const (
	usualState = 2 << 10
	largeState = 8 << 10
)

const allowLongRequests = "allow request lines of 16 kB and response headers of 16 kB (nginx: " +
	"large_client_header_buffers 4 32k for requests, proxy_buffer_size 16k with proxy_buffers 8 16k for responses)"

// checkState checks that the state parameter comes back unchanged.
func (e *exam) checkState(ctx context.Context, redirectURI string) {
	res, err := e.sendState(ctx, redirectURI, largeState)
	if err == nil {
		e.addOK(RedirectState, fmt.Sprintf("A state of %d bytes comes back unchanged.", largeState))
		return
	}
	_, err = e.sendState(ctx, redirectURI, usualState)
	if err != nil {
		e.addError(RedirectState, fmt.Sprintf("A state of %d bytes does not come back unchanged: %v.", usualState, err),
			"Make the provider return state exactly as it was sent. In the proxy, "+allowLongRequests+".", res.summarize())
		return
	}
	e.addWarning(RedirectState,
		fmt.Sprintf("A state of %d bytes comes back unchanged, but one of %d bytes does not.", usualState, largeState),
		"In the provider and the proxy, "+allowLongRequests+": the state of LivePerson's window grows with the connector.",
		res.summarize())
}

// sendState sends a state of the size and returns an error if it does not come
// back unchanged.
func (e *exam) sendState(ctx context.Context, redirectURI string, size int) (response, error) {
	state := sampleState(size, e.cfg.WindowAccount)
	responseType := e.cfg.ResponseTypes[0]
	res, err := e.authorize(ctx, authorizeRequest{
		redirectURI:  redirectURI,
		responseType: responseType,
		state:        state,
		nonce:        strings.Contains(responseType, "id_token"),
	})
	if err != nil {
		return res, err
	}
	params, ok := redirectParams(res, redirectURI)
	if !ok {
		return res, fmt.Errorf("the response has status %d", res.status)
	}
	if !params.Has("state") {
		return res, errors.New("the response has no state")
	}
	if got := params.Get("state"); got != state {
		return res, errors.New(describeDifference(got, state))
	}
	return res, nil
}

// sampleState returns a state of n bytes that looks like LivePerson's. It has the
// kinds of characters that providers are known to damage.
func sampleState(n int, account string) string {
	head := `{"` + liveengage.WindowQueryKey + `":{"accountId":"` + account + `","env":"prod",` +
		`"clickedChannel":"-lpuw-authMessaging","external":true,"note":"a+b/c=d&e%20f g é",` +
		`"engConf":{"async":true,"scid":"1","connector":{"id":4056284238,"configuration":{"jwtPublicKey":"`
	const tail = `"}}}}}`
	return head + strings.Repeat("MIIB+/", n)[:n-len(head)-len(tail)] + tail
}
