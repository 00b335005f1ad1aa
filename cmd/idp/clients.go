package main

import (
	"slices"

	"idpbridge/config"
	"idpbridge/oidc"
)

// pinned are the keys that some client pins.
func pinned(clients []oidc.Client) []string {
	var out []string
	for _, c := range clients {
		if c.PinnedKey != "" && !slices.Contains(out, c.PinnedKey) {
			out = append(out, c.PinnedKey)
		}
	}
	return out
}

// acrossSites says whether pages of other sites may use the session.
func acrossSites(clients []oidc.Client) bool {
	return slices.ContainsFunc(clients, func(c oidc.Client) bool { return c.LiveEngage != nil && c.LiveEngage.Page.AcrossSites })
}

// loadPeople reads the people file of a configuration, with subjects as it says.
func loadPeople(cfg *config.Config) ([]config.Person, error) {
	subjects, err := config.LoadSubjects(cfg.Subjects)
	if err != nil {
		return nil, err
	}
	return config.LoadPeople(cfg.People, config.PeopleRules{Subjects: subjects})
}
