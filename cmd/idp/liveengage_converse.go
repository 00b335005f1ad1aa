package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"

	"idpbridge/conformance"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

type converseCommand struct {
	serviceFlags
	loginFlags
	Account     string `required:"" help:"Number of the LivePerson account." placeholder:"ACCOUNT"`
	Issuer      string `required:"" help:"Issuer of the brand's provider, such as http://127.0.0.1:8080." placeholder:"URL"`
	Client      string `help:"The client that LiveEngage is at the provider: that of --connector, or liveengage." placeholder:"ID"`
	RedirectURI string `name:"redirect-uri" default:"https://liveperson.net" help:"A redirect URI of that client (${default}); nobody goes there." placeholder:"URL"`
	Person      string `default:"jane" help:"Who signs in (${default}). The password is IDP_PERSON_PASSWORD; those of idp dev are known." placeholder:"NAME"`
	Say         string `default:"Hello" help:"The line to write (${default})." placeholder:"TEXT"`
	Connector   string `help:"Id of the connector; by default the one for the issuer and the client." placeholder:"ID"`
	Flow        string `enum:"connector,implicit,code" default:"connector" help:"implicit or code; by default what the connector says."`
	InBand      bool   `help:"Send the token in the first message of the socket, as browsers do, instead of a header."`
}

// Help is shown below the flags.
func (converseCommand) Help() string {
	return `For example, with idp dev and its simulator running:

    idp liveengage converse --domains http://127.0.0.1:8090 --account 12345678 \
        --issuer http://127.0.0.1:8080 --person jane --say "Where is my parcel?"

With --user or --key it shows what LivePerson's Messaging Interactions API says of the
consumer. Without, it shows the attributes in the brand's own token.`
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

// Run plays the consumer from the sign-in to the line.
func (c converseCommand) Run(ctx context.Context, p *process) error {
	allow, err := c.allowedHosts(c.Issuer)
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
	to := conformance.Client{ID: cmp.Or(c.Client, connector.Configuration.ClientID), RedirectURI: c.RedirectURI}
	in, err := newCredentialSource(c.Issuer, c.newTransport(allow), to, person)
	if err != nil {
		return err
	}
	r := conversation{Account: c.Account, Connector: connector.ID.String(), Flow: liveengage.Flow(c.Flow), Said: c.Say}
	if c.Flow == "connector" {
		r.Flow = connector.Flow()
	}
	in.flow, in.pkce = r.Flow, connector.Configuration.PKCEEnabled
	if r.Conversation, err = c.sendLine(ctx, client, r.Connector, in); err != nil {
		return err
	}
	if r.Sees, err = c.readAgentView(ctx, p, client, in, r.Conversation); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(p.stdout, r)
	}
	rows := [][]string{
		{"signed in", c.Person + " at " + c.Issuer},
		{"authenticated", "connector " + r.Connector + ", " + string(r.Flow) + " flow"},
		{"conversation", r.Conversation},
		{"said", r.Said},
	}
	if err := printTable(p.stdout, rows); err != nil {
		return err
	}
	return r.Sees.printTo(p.stdout)
}

// personFromFlags is who signs in; the passwords of the development mode are known.
func (c converseCommand) personFromFlags(p *process) (conformance.Person, error) {
	password := p.getenv("IDP_PERSON_PASSWORD")
	if password == "" && loopbackIssuer(c.Issuer) {
		password = c.Person + "-password"
	}
	if password == "" {
		return conformance.Person{}, &usageError{"IDP_PERSON_PASSWORD is not set; it is the password of --person"}
	}
	return conformance.Person{Username: c.Person, Password: password}, nil
}

// findConnector is the one of the account for the issuer and the client.
func (c converseCommand) findConnector(ctx context.Context, client *api.Client) (api.Connector, error) {
	all, err := client.Connectors(ctx)
	if err != nil {
		return api.Connector{}, err
	}
	if c.Connector != "" {
		for _, one := range all {
			if one.ID.String() == c.Connector {
				return one, nil
			}
		}
		return api.Connector{}, fmt.Errorf("account %s has no connector %s; see %s", c.Account, c.Connector, c.commandLine("connectors "+c.Account))
	}
	id := cmp.Or(c.Client, "liveengage")
	if one, ok := api.FindConnector(all, c.Issuer, id); ok {
		return one, nil
	}
	return api.Connector{}, fmt.Errorf("account %s has no connector for the issuer %s and the client %s, letter by letter; see %s", c.Account, c.Issuer, id, c.commandLine("connectors "+c.Account))
}

// sendLine authenticates the consumer, opens the socket and writes the line.
func (c converseCommand) sendLine(ctx context.Context, client *api.Client, connector string, in *credentialSource) (string, error) {
	socket := client.Socket(api.SocketConfig{TokenInMessage: c.InBand, GetToken: func(ctx context.Context) (string, error) {
		return client.Authenticate(ctx, api.Authentication{Connector: connector, Source: in.fetchCredential})
	}})
	ctx, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { _ = socket.Run(ctx) }) // its error is that of the request below
	id, err := socket.StartConversation(ctx)
	if err != nil {
		return "", err
	}
	_, err = socket.Publish(ctx, id, c.Say)
	return id, err
}

// readAgentView is what the agent sees: by the services if there is a login, else by the
// brand's token, which in the code flow is fetched once more for that.
func (c converseCommand) readAgentView(ctx context.Context, p *process, client *api.Client, in *credentialSource, id string) (agentView, error) {
	if !c.isSet() {
		return in.viewFromToken(ctx), nil
	}
	as, done, err := c.authorizeCalls(ctx, p, client)
	if err != nil {
		return agentView{}, addLoginHint(err)
	}
	defer done()
	records, err := client.Interactions(ctx, as, id)
	if err != nil {
		return agentView{}, err
	}
	if len(records) == 0 {
		return agentView{Why: "the Messaging Interactions API does not know the conversation yet; ask again later"}, nil
	}
	return agentView{From: "interactions", Interactions: records}, nil
}
