package words_test

import (
	"bytes"
	"log"
	"testing"
	"time"

	"fyne.io/fyne/v2/lang"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/words"
)

func speak(t *testing.T, language string) {
	t.Helper()
	if err := words.Use(language); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := words.Use(words.English); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLanguages(t *testing.T) {
	now := time.Date(2026, 11, 12, 15, 0, 0, 0, time.UTC)
	for language, want := range map[string][]string{
		words.English: {"yesterday", "1 file", "2,140 files", "0 files", "4.2 MB", "12 Mar", "12 Nov 2024", "14:02", "not translated %s"},
		words.German:  {"gestern", "1 Datei", "2.140 Dateien", "0 Dateien", "4,2 MB", "12. März", "12. Nov. 2024", "14:02", "not translated %s"},
	} {
		t.Run(language, func(t *testing.T) {
			speak(t, language)
			unknown := "not translated %s"
			for i, got := range []string{
				words.T("yesterday"), words.N("%s files", 1), words.N("%s files", 2140), words.N("%s files", 0), words.Size(4_200_000),
				words.Time(time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC), now),
				words.Time(time.Date(2024, 11, 12, 9, 0, 0, 0, time.UTC), now),
				words.Time(time.Date(2026, 11, 12, 14, 2, 0, 0, time.UTC), now),
				words.T(unknown),
			} {
				if got != want[i] {
					t.Errorf("%q, want %q", got, want[i])
				}
			}
			if words.Language() != language {
				t.Errorf("speaks %q", words.Language())
			}
		})
	}
}

// The toolkit complains about each of its own words that it does not find.
func TestTheToolkitFindsItsWords(t *testing.T) {
	var complaints bytes.Buffer
	before := log.Writer()
	log.SetOutput(&complaints)
	defer log.SetOutput(before)
	for _, language := range words.Languages {
		speak(t, language)
		for _, form := range words.Toolkit {
			if got := lang.L(form); (got == form) != (language == words.English) {
				t.Errorf("%s: %q is %q", language, form, got)
			}
		}
	}
	if complaints.Len() > 0 {
		t.Error(complaints.String())
	}
}

// Rows are put into words by the thousand.
func BenchmarkT(b *testing.B) {
	if err := words.Use(words.German); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		words.T("yesterday")
	}
}

func BenchmarkN(b *testing.B) {
	if err := words.Use(words.German); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		words.N("%s files", 3)
	}
}

func TestSentencesOfTheCore(t *testing.T) {
	said := domain.Say("%s is away since %s. Continues when %s is back.", "Ana", time.Now().AddDate(0, 0, -1), "Ana")
	for language, want := range map[string]string{
		words.English: "Ana is away since yesterday. Continues when Ana is back.",
		words.German:  "Ana ist seit gestern weg. Geht weiter, sobald Ana wieder da ist.",
	} {
		t.Run(language, func(t *testing.T) {
			speak(t, language)
			if got := words.Say(said); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if got := words.Say(domain.Saying{}); got != "" {
				t.Errorf("nothing is said as %q", got)
			}
			if got := words.Say(domain.Say("100 %s of nothing")); got != "100 %s of nothing" {
				t.Errorf("%q", got)
			}
		})
	}
}
