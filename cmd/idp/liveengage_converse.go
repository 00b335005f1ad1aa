package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"

	"idpbridge/internal/robot"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

type converseCommand struct {
	serviceFlags
	loginFlags
	Account     string `required:"" help:"Number of the LivePerson account." placeholder:"ACCOUNT"`
	Issuer      string `required:"" help:"Issuer of the brand's identity provider." placeholder:"URL"`
	Client      string `help:"Client ID registered for LiveEngage; by default the connector's." placeholder:"ID"`
	RedirectURI string `default:"${redirect_uri}" help:"Redirect URI of the client (${default})." placeholder:"URL"`
	Authorize   string `name:"authorization-endpoint" help:"By default the connector's." placeholder:"URL"`
	Person      string `default:"jane" help:"Person who signs in (${default})." placeholder:"NAME"`
	Say         string `default:"Hello" help:"Message to send (${default})." placeholder:"TEXT"`
	Connector   string `help:"ID of the connector; by default the one for the issuer and the client." placeholder:"ID"`
	Flow        string `enum:"connector,implicit,code" default:"connector" help:"implicit, code or connector (its flow)."`
	InBand      bool   `help:"Send the token in the first message of the socket, as browsers do, not in a header."`
}

// Help is printed above the flags.
func (converseCommand) Help() string {
	return `For example, with idp dev and its simulator running:

    idp liveengage converse --domains http://127.0.0.1:8090 --account 12345678 \
        --issuer http://127.0.0.1:8080 --person jane --say "Where is my parcel?"

The password of the person is IDP_PERSON_PASSWORD; those of idp dev are known. The
redirect URI is not visited.

With --user or --key, the command prints what LivePerson's Messaging Interactions API
knows about the consumer, otherwise the attributes in the brand's own token.`
}

// conversation is what --json prints.
type conversation struct {
	Account      string          `json:"account"`
	Connector    string          `json:"connector"`
	Flow         liveengage.Flow `json:"flow"`
	Conversation string          `json:"conversation"`
	Said         string          `json:"said"`
	Sees         agentView       `json:"agent_sees"`
}

// Run is the consumer's part: it signs the person in, opens a conversation and sends
// the message.
func (c converseCommand) Run(ctx context.Context, p *process) error {
	allowed, err := c.allowedHosts(c.providerURLs()...)
	if err != nil {
		return err
	}
	client, err := c.newClient(p, c.Account, slog.LevelWarn, api.RetryThreeTimes)
	if err != nil {
		return err
	}
	person, err := c.personFromFlags(p)
	if err != nil {
		return err
	}
	connector, err := c.findConnector(ctx, client)
	if err != nil {
		return err
	}
	source := &credentialSource{
		issuer:      c.Issuer,
		browser:     robot.New(c.newTransport(allowed)),
		clientID:    cmp.Or(c.Client, connector.Configuration.ClientID),
		redirectURI: c.RedirectURI,
		account:     c.Account,
		person:      person,
		flow:        liveengage.Flow(c.Flow),
		pkce:        connector.Configuration.PKCEEnabled,
	}
	source.endpoint = c.findAuthorizationEndpoint(connector, allowed)
	if c.Flow == "connector" {
		source.flow = connector.Flow()
	}
	report := conversation{Account: c.Account, Connector: connector.ID.String(), Flow: source.flow, Said: c.Say}
	if report.Conversation, err = c.sendMessage(ctx, client, report.Connector, source); err != nil {
		return err
	}
	if report.Sees, err = c.readAgentView(ctx, p, client, source, report.Conversation); err != nil {
		return err
	}
	return c.printReport(p, report)
}

// providerURLs returns the URLs of the provider that flags name.
func (c converseCommand) providerURLs() []string {
	if c.Authorize == "" {
		return []string{c.Issuer}
	}
	return []string{c.Issuer, c.Authorize}
}

// findAuthorizationEndpoint returns the URL that LivePerson uses: that of the flag or of
// the connector. It returns "" if it is in the discovery document, which a provider need
// not have.
func (c converseCommand) findAuthorizationEndpoint(connector api.Connector, allowed api.Hosts) string {
	if c.Authorize != "" {
		return c.Authorize
	}
	endpoint := connector.Configuration.AuthorizationEndpoint
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || allowed.Check(u) != nil {
		return ""
	}
	return endpoint
}

func (c converseCommand) printReport(p *process, report conversation) error {
	if c.JSON {
		return printJSON(p.stdout, report)
	}
	rows := [][]string{
		{"signed in", c.Person + " at " + c.Issuer},
		{"authenticated", "connector " + report.Connector + ", " + string(report.Flow) + " flow"},
		{"conversation", report.Conversation},
		{"message", report.Said},
	}
	if err := printTable(p.stdout, rows); err != nil {
		return err
	}
	return report.Sees.printTo(p.stdout)
}

// personFromFlags returns the person who signs in. The passwords of idp dev's people
// are known.
func (c converseCommand) personFromFlags(p *process) (robot.Credentials, error) {
	password := p.getenv("IDP_PERSON_PASSWORD")
	if password == "" && loopbackIssuer(c.Issuer) {
		password = c.Person + "-password"
	}
	if password == "" {
		return robot.Credentials{}, usageErrorf("IDP_PERSON_PASSWORD, the password of --person, is not set")
	}
	return robot.Credentials{Username: c.Person, Password: password}, nil
}

// findConnector returns the account's connector that --connector names, or the one for
// the issuer and the client.
func (c converseCommand) findConnector(ctx context.Context, client *api.Client) (api.Connector, error) {
	connectors, err := client.Connectors(ctx)
	if err != nil {
		return api.Connector{}, err
	}
	list := c.commandLine("connectors " + c.Account)
	if c.Connector != "" {
		for _, connector := range connectors {
			if connector.ID.String() == c.Connector {
				return connector, nil
			}
		}
		return api.Connector{}, fmt.Errorf("account %s has no connector %s; see %s", c.Account, c.Connector, list)
	}
	clientID := cmp.Or(c.Client, "liveengage")
	connector, ok := api.FindConnector(connectors, c.Issuer, clientID)
	if !ok {
		return api.Connector{}, fmt.Errorf("account %s has no connector with exactly the issuer %s and the client %s; see %s",
			c.Account, c.Issuer, clientID, list)
	}
	return connector, nil
}

// sendMessage authenticates the consumer, opens a conversation and sends the message.
// It returns the ID of the conversation.
func (c converseCommand) sendMessage(
	ctx context.Context, client *api.Client, connector string, source *credentialSource,
) (string, error) {
	socket := client.Socket(api.SocketConfig{
		TokenInMessage: c.InBand,
		GetToken: func(ctx context.Context) (string, error) {
			return client.Authenticate(ctx, api.Authentication{Connector: connector, Source: source.fetchCredential})
		},
	})
	ctx, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { _ = socket.Run(ctx) }) // StartConversation returns its error
	id, err := socket.StartConversation(ctx)
	if err != nil {
		return "", err
	}
	_, err = socket.Publish(ctx, id, c.Say)
	return id, err
}

// readAgentView returns what the agent sees: according to LivePerson if the flags name
// a login, otherwise according to the brand's token.
func (c converseCommand) readAgentView(
	ctx context.Context, p *process, client *api.Client, source *credentialSource, conversationID string,
) (agentView, error) {
	if !c.isSet() {
		return source.viewFromToken(ctx), nil
	}
	authorizer, done, err := c.authorizeCalls(ctx, p, client)
	if err != nil {
		return agentView{}, addLoginHint(err)
	}
	defer done()
	interactions, err := client.Interactions(ctx, authorizer, conversationID)
	if err != nil {
		return agentView{}, err
	}
	if len(interactions) == 0 {
		return agentView{Why: "the Messaging Interactions API does not know the conversation yet; try again later"}, nil
	}
	return agentView{From: viewFromInteractions, Interactions: interactions}, nil
}
