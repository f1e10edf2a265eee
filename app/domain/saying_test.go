package domain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

func TestSayingsInEnglish(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, time.May, 20, 15, 30, 0, 0, time.Local)
	for want, s := range map[string]domain.Saying{
		"":                             {},
		"Paused by you.":               domain.Say("Paused by you."),
		"100 % of %s, %d":              domain.Say("100 % of %s, %d"), // nothing is put in
		"Checking… 40 %":               domain.Say("Checking… %s %%", 40),
		"Free 2.1 GB.":                 domain.Say("Free %s.", domain.Bytes(2_100_000_000)),
		"Ana since 14:02, Ana":         domain.Say("%s since %s, %s", "Ana", now.Add(-88*time.Minute), "Ana"),
		"since yesterday":              domain.Say("since %s", now.AddDate(0, 0, -1)),
		"since 3 May":                  domain.Say("since %s", now.AddDate(0, 0, -17)),
		"since long ago":               domain.Say("since %s", time.Time{}),
		"50% of %s has moved.":         domain.Say("%s has moved.", "50% of %s"), // a name stays as it is
		"Ana and , % and %d and %[9 %": domain.Say("%s and %s, %% and %d and %[9 %", "Ana"),
	} {
		if got := s.English(now); got != want {
			t.Errorf("%q says %q, want %q", s.Form(), got, want)
		}
	}
}

func TestSayingsInAnotherOrder(t *testing.T) {
	t.Parallel()
	s := domain.Say("%s of %s from %s", 3, domain.Bytes(7), "Ana")
	text := func(arg any) string { return fmt.Sprintf("<%v>", arg) }
	for form, want := range map[string]string{
		"%s von %s":             "<3> von <7>",
		"Von %[3]s: %[1]s, %s":  "Von <Ana>: <3>, <7>",
		"%[9]s%[0]s%[1]d%[2]s.": "%[0]s%[1]d<7>.",
		"%[2":                   "%[2",
		"":                      "",
	} {
		if got := s.In(form, text); got != want {
			t.Errorf("in %q: %q, want %q", form, got, want)
		}
	}
}

func TestSayingsAreStored(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(-time.Hour).In(time.FixedZone("there", 3600))
	for _, s := range []domain.Saying{
		{},
		domain.Say("Paused by you."),
		domain.Say("[a] %s % [b]"),
		domain.Say(`["a"]`),
		domain.Say("%s, %s, %s, %s, %s", "Ana \"x\"\n", 3, at, domain.Bytes(1<<60), time.Time{}),
		domain.Say("%s has moved.", strings.Repeat("\x01ä", 4000)),
		domain.Say(strings.Repeat("ß", 9000), -5),
		domain.Say("%s", "bad\xffname"),
		domain.Say("%s %s %s %s %s %s", 1, 2, 3, 4, 5, 6),
	} {
		text, err := s.MarshalText()
		if err != nil || len(text) > domain.MaxSaying {
			t.Errorf("%.40q: %d bytes, %v", s.Form(), len(text), err)
		}
		var got domain.Saying
		if err := got.UnmarshalText(text); err != nil || got != s {
			t.Errorf("%.40q was stored as %.80s and read as %.80v, %v", s.Form(), text, got.Args(), err)
		}
	}
}

func TestStoredTextsThatAreNoSayings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Ana is away since 14:02.", "Checking what's already here… 40 %", "%s", "[", `["a"`, `[]`, `[1]`, `["a",null]`,
		`["a",{}]`, `["a",{"time":"x"}]`, `["a",[1]]`, `["a",1.5]`, `["a",1e400]`, `["a",1,2,3,4,5,6]`, `{"a":1}`,
	} {
		var s domain.Saying
		if err := s.UnmarshalText([]byte(text)); err != nil || s.String() != text || len(s.Args()) != 0 {
			t.Errorf("%s says %q, %v", text, s, err)
		}
	}
	var s domain.Saying
	if err := s.UnmarshalText(make([]byte, domain.MaxSaying+1)); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("too long a text: %v", err)
	}
}

func FuzzStoredSaying(f *testing.F) {
	f.Add([]byte(`["%s and %[2]s",{"time":5},{"bytes":7},"a",3]`))
	f.Add([]byte("40 %"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s, again domain.Saying
		if s.UnmarshalText(text) != nil {
			return
		}
		_ = s.String() // whatever it is, it can be shown
		stored, err := s.MarshalText()
		if err != nil || len(stored) > domain.MaxSaying {
			t.Fatalf("%d bytes, %v", len(stored), err)
		}
		if err := again.UnmarshalText(stored); err != nil || again != s {
			t.Fatalf("%q was read as %q, %v", s, again, err)
		}
	})
}

func TestFaultsSayWhatHappened(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("keeping it: %w", domain.Fault(domain.ErrUsage, "the name \"%s\" is too long", "Ana"))
	if err.Error() != `keeping it: not understood: the name "Ana" is too long` || !errors.Is(err, domain.ErrUsage) {
		t.Errorf("the error %v", err)
	}
	if s, ok := domain.SayingOf(err); !ok || s != domain.Say("the name \"%s\" is too long", "Ana") {
		t.Errorf("it says %q", s)
	}
	plain := fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", "x"), domain.ErrNotFound)
	if plain.Error() != "x is not shared: not found" || domain.ErrorKind(plain) != "not_found" {
		t.Errorf("the error %v", plain)
	}
	if _, ok := domain.SayingOf(domain.ErrUsage); ok {
		t.Error("a mere kind is taken for a fault")
	}
}

func TestEveryKindHasASentence(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"waiting", "refused", "not_found", "not_running", "usage", "changed", "damaged", "busy", "no_space", "unwritable",
		"unreadable", "not_shareable", "too_large", "malformed", "version", "offline",
	} {
		s := domain.KindSaying(fmt.Errorf("x: %w", domain.ErrorOfKind(name))).String()
		if !strings.HasSuffix(s, ".") || strings.ContainsAny(s, "!%") {
			t.Errorf("%s: %q", name, s)
		}
	}
	if s := domain.KindSaying(errors.New("x")); !s.IsZero() {
		t.Errorf("an error of no kind: %q", s)
	}
}
