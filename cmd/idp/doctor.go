package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"idpbridge/config"
	"idpbridge/dev"
	"idpbridge/doctor"
	"idpbridge/internal/netaddr"
	"idpbridge/internal/secret"
)

type doctorCommand struct {
	Config        string            `help:"Configuration file of the provider to examine." type:"path" placeholder:"FILE"`
	Issuer        string            `help:"Issuer of any provider, in place of --config; with --client." placeholder:"URL"`
	Client        string            `help:"Client that LiveEngage is; with --config the first with the profile liveengage." placeholder:"ID"`
	RedirectURIs  []string          `name:"redirect-uri" sep:"none" help:"Redirect URI that must be accepted, in place of LivePerson's; repeatable." placeholder:"URI"`
	ResponseTypes []string          `name:"response-type" help:"code or id_token, in place of the client's own (code); repeatable." placeholder:"TYPE"`
	Key           string            `help:"File with the text in the connector's field JWT Public Key." type:"existingfile" placeholder:"FILE"`
	Account       string            `help:"LiveEngage account whose connectors to compare; they are public." placeholder:"N"`
	AccountBase   string            `name:"account-base" hidden:"" help:"Where they are." placeholder:"URL"`
	Connector     string            `help:"One of several connectors: id, name, or place counted from 1." placeholder:"NAME"`
	Expect        map[string]string `mapsep:"none" help:"What a field of the connector must be, such as type=2; repeatable." placeholder:"FIELD=VALUE"`
	Operations    string            `help:"Operations address, with --config the configured one, or off." placeholder:"URL"`
	CA            string            `name:"ca" help:"PEM file of authorities to trust in place of the system's." type:"existingfile" placeholder:"FILE"`
	Local         bool              `help:"Only note what keeps LivePerson from reaching the provider."`
	JSON          bool              `name:"json" help:"Print JSON, at the end."`
}

// Help is shown below the flags.
func (doctorCommand) Help() string {
	return `For example:

    idp doctor --config idp.yaml --account 12345678

Looks at a running provider as LivePerson does, and says what to do. It signs
nobody in and changes nothing. With --issuer the client's secret comes from the
environment, IDP_DOCTOR_SECRET; those of idp dev are known. docs/doctor.md lists
every code.

Exit status: 0 no errors, 1 errors, 2 usage error.`
}

// Run examines the provider and prints each finding as soon as it is made.
func (d doctorCommand) Run(ctx context.Context, p *process) error {
	cfg, err := d.subject(p)
	if err != nil {
		return err
	}
	if err := d.complete(&cfg); err != nil {
		return err
	}
	cfg.Now = p.now
	if !d.JSON {
		if err := d.greet(p.stdout, cfg); err != nil {
			return err
		}
		cfg.OnFinding = func(f doctor.Finding) { writeFinding(p.stdout, f) }
	}
	report := doctor.Run(ctx, cfg)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err := d.conclude(p.stdout, cfg, report); err != nil {
		return err
	}
	if n := report.Totals[doctor.Error]; n > 0 {
		return fmt.Errorf("LivePerson cannot work with %s as it is; errors: %d", cfg.Issuer, n)
	}
	return nil
}

// subject is the provider and the client, by the configuration or by the flags.
func (d doctorCommand) subject(p *process) (doctor.Config, error) {
	switch {
	case d.Config == "" && d.Issuer == "":
		return doctor.Config{}, &usageError{"doctor: name the provider by --config FILE or by --issuer URL; see idp doctor --help"}
	case d.Config != "" && d.Issuer != "":
		return doctor.Config{}, &usageError{"doctor: --config has an issuer already; leave --issuer out"}
	case d.Config != "":
		return d.configured(p)
	case d.Client == "":
		return doctor.Config{}, &usageError{"doctor: --issuer needs --client, the id that LiveEngage has there"}
	}
	cfg := doctor.Config{Issuer: d.Issuer, ClientID: d.Client, ClientSecret: secret.New(p.getenv("IDP_DOCTOR_SECRET")), OperationsURL: d.Operations}
	if !cfg.ClientSecret.IsSet() && loopbackIssuer(d.Issuer) {
		for _, c := range dev.Clients() {
			if c.ID == d.Client {
				cfg.ClientSecret = c.Secret
			}
		}
	}
	return cfg, nil
}

// configured reads the configuration as serve does.
func (d doctorCommand) configured(p *process) (doctor.Config, error) {
	loaded, err := config.Load(d.Config, p.getenv)
	if err != nil {
		return doctor.Config{}, err
	}
	i := slices.IndexFunc(loaded.Clients, func(c config.Client) bool {
		return c.ID == d.Client || d.Client == "" && c.Profile == "liveengage"
	})
	switch {
	case i < 0 && d.Client != "":
		return doctor.Config{}, &usageError{fmt.Sprintf("doctor: %s has no client %q", d.Config, d.Client)}
	case i < 0:
		return doctor.Config{}, &usageError{fmt.Sprintf("doctor: %s has no client with the profile liveengage; name the one to examine by --client", d.Config)}
	}
	client := loaded.Clients[i]
	cfg := doctor.Config{
		Issuer: loaded.Issuer, ClientID: client.ID, ClientSecret: client.Secret, OperationsURL: d.Operations,
		JSONRemedy: "Nothing for connectors of today: they send forms. For an older one set token_requests: form_or_json in the client's liveengage section.",
	}
	if l := client.LiveEngage; l != nil {
		cfg.ExpectedFields = map[string]string{
			"jsMethodName": l.JSMethod, "jsContext": l.JSContext, "rfcCompliance": strconv.FormatBool(l.Dialect != "legacy"),
		}
	}
	if cfg.OperationsURL == "" && loaded.Operations != "off" {
		cfg.OperationsURL = "http://" + loaded.Operations
	}
	if client.Profile != "liveengage" {
		cfg.RedirectURIs = client.RedirectURIs
	}
	for _, t := range client.ResponseTypes {
		if t == "code" || t == "id_token" {
			cfg.ResponseTypes = append(cfg.ResponseTypes, t)
		}
	}
	if len(cfg.ResponseTypes) == 0 {
		return doctor.Config{}, &usageError{fmt.Sprintf("doctor: the client %q has neither response type that LiveEngage knows, code or id_token", client.ID)}
	}
	return cfg, nil
}

// complete adds what the flags say beside.
func (d doctorCommand) complete(cfg *doctor.Config) error {
	if u, err := url.Parse(cfg.Issuer); err != nil || u.Host == "" {
		return &usageError{fmt.Sprintf("doctor: --issuer %q is not an address", cfg.Issuer)}
	}
	for _, t := range d.ResponseTypes {
		if t != "code" && t != "id_token" {
			return &usageError{fmt.Sprintf("doctor: --response-type %q is neither code nor id_token", t)}
		}
	}
	if d.Account != "" && !doctor.ValidAccount(d.Account) {
		return &usageError{fmt.Sprintf("doctor: --account %q is not an account number; write its digits and letters alone", d.Account)}
	}
	known := doctor.ConnectorFields()
	for name := range d.Expect {
		if !slices.Contains(known, name) {
			return &usageError{fmt.Sprintf("doctor: --expect %s: a connector has no such field; write one of: %s", name, strings.Join(known, ", "))}
		}
	}
	if len(d.RedirectURIs) > 0 {
		cfg.RedirectURIs = d.RedirectURIs
	}
	if len(d.ResponseTypes) > 0 {
		cfg.ResponseTypes = d.ResponseTypes
	}
	if cfg.OperationsURL == "off" {
		cfg.OperationsURL = ""
	}
	cfg.Local, cfg.Account, cfg.AccountBaseURL, cfg.Connector = d.Local, d.Account, d.AccountBase, d.Connector
	if cfg.ExpectedFields == nil {
		cfg.ExpectedFields = map[string]string{}
	}
	maps.Copy(cfg.ExpectedFields, d.Expect)
	var err error
	if d.CA != "" {
		if cfg.RootCAs, err = readRoots(d.CA); err != nil {
			return err
		}
	}
	if d.Key != "" {
		cfg.PastedKey, err = readPasted(d.Key)
	}
	return err
}

// greet says what is examined, and that local rules apply.
func (d doctorCommand) greet(out io.Writer, cfg doctor.Config) error {
	line := fmt.Sprintf("Examining %s as the client %s", cfg.Issuer, cfg.ClientID)
	if d.Local {
		line += ", with --local: what keeps LivePerson from reaching it is noted only"
	}
	_, err := fmt.Fprintf(out, "%s.\n\n", line)
	return err
}

// The columns of a finding: level, code, sentence.
const findingIndent = "                               "

func writeFinding(out io.Writer, f doctor.Finding) {
	word := map[doctor.Level]string{doctor.OK: "ok", doctor.Note: "note", doctor.Warn: "warn", doctor.Error: "ERROR", doctor.Skip: "skip"}[f.Level]
	_, _ = fmt.Fprintf(out, "%-5s  %-22s  %s\n", word, f.Code, f.Sentence)
	if f.Level == doctor.OK {
		return
	}
	_, _ = fmt.Fprintf(out, "%sto do: %s\n", findingIndent, f.Remedy)
	if f.Seen != "" {
		_, _ = fmt.Fprintf(out, "%sseen:  %s\n", findingIndent, f.Seen)
	}
}

// conclude prints the totals, or everything as JSON.
func (d doctorCommand) conclude(out io.Writer, cfg doctor.Config, report doctor.Report) error {
	if d.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Issuer string `json:"issuer"`
			Client string `json:"client"`
			Local  bool   `json:"local"`
			doctor.Report
		}{cfg.Issuer, cfg.ClientID, cfg.Local, report})
	}
	c := report.Totals
	_, err := fmt.Fprintf(out, "\nok: %d, notes: %d, warnings: %d, errors: %d, skipped: %d\n",
		c[doctor.OK], c[doctor.Note], c[doctor.Warn], c[doctor.Error], c[doctor.Skip])
	return err
}

// readPasted reads a key as somebody pasted it. The line end that an editor puts
// at the end of a file is not part of it.
func readPasted(file string) (string, error) {
	const longest = 64 << 10
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read --key: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, longest))
	if err != nil {
		return "", fmt.Errorf("read --key: %w", err)
	}
	pasted := strings.TrimRight(string(text), " \t\r\n")
	if pasted == "" {
		return "", &usageError{fmt.Sprintf("--key %s is empty; it is the text in the field JWT Public Key", file)}
	}
	return pasted, nil
}

// readRoots reads certificates to trust.
func readRoots(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, &usageError{fmt.Sprintf("--ca %s holds no certificate in PEM", file)}
	}
	return roots, nil
}

// loopbackIssuer says whether a provider may be one in the development mode,
// whose secrets are known.
func loopbackIssuer(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	return u.Scheme == "http" && netaddr.IsLoopbackIP(u.Hostname())
}
