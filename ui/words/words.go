// Package words puts what the window says into the user's language.
//
// A text is known by its English form, a literal with a %s for each argument;
// what other languages make of it stands in assets/lang, a file for each room
// and language. A test compares the forms in the code with those files.
//
// Use is called once, before the window is built. Everything else may be
// called from any goroutine.
package words

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"
	"sync"

	"fyne.io/fyne/v2/lang"

	"github.com/potluck-share/potluck/assets"
)

// The languages.
const (
	English = "en"
	German  = "de"
)

// Languages are those that the window speaks.
var Languages = []string{English, German}

// Toolkit are the forms that Fyne itself looks up, for the menu of an entry and
// that of the tray. It knows them in its own languages only, and complains.
var Toolkit = []string{"Copy", "Cut", "Paste", "Quit", "Redo", "Select all", "Undo"}

// spoken is the language in use, and its forms without a number that were
// looked up already: rows are put into words by the thousand.
var spoken = struct {
	sync.RWMutex
	language string
	forms    map[string]string
}{language: English, forms: make(map[string]string)}

// Use makes the window speak a language, or the system's if it is empty or
// unknown. The error means that the program's own translations are broken.
func Use(language string) error {
	if language != English && language != German {
		language = English
		if lang.SystemLocale().LanguageString() == German {
			language = German
		}
	}
	texts, err := Texts(language)
	if err != nil {
		return err
	}
	for _, form := range Toolkit {
		if _, ok := texts[form]; !ok {
			texts[form] = form
		}
	}
	data, err := json.Marshal(texts)
	if err != nil {
		return err
	}
	// Fyne knows no way to choose another language than the system's, so the
	// chosen one takes that one's place.
	if err := lang.AddTranslationsForLocale(data, lang.SystemLocale()); err != nil {
		return fmt.Errorf("the translations into %q: %w", language, err)
	}
	spoken.Lock()
	defer spoken.Unlock()
	spoken.language = language
	clear(spoken.forms)
	return nil
}

// Language returns the language in use.
func Language() string {
	spoken.RLock()
	defer spoken.RUnlock()
	return spoken.language
}

// Texts returns all forms of a language, of every room: strings, and for forms
// that depend on a number a map with "one" and "other". The forms without a
// number are their own English.
func Texts(language string) (map[string]any, error) {
	all := make(map[string]any)
	files, err := assets.Translations.ReadDir("lang")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "."+language+".json") {
			continue
		}
		data, err := assets.Translations.ReadFile(path.Join("lang", f.Name()))
		if err != nil {
			return nil, err
		}
		var texts map[string]any
		if err := json.Unmarshal(data, &texts); err != nil {
			return nil, fmt.Errorf("the translations %s: %w", f.Name(), err)
		}
		maps.Copy(all, texts)
	}
	return all, nil
}

// english speaks English until a language was chosen, which has to be said: its
// forms of numbers stand in files too.
var english = sync.OnceFunc(func() {
	if Language() == English {
		if err := Use(English); err != nil {
			panic(err) // the program's own files, which a test reads
		}
	}
})

// T returns a form in the user's language, with its arguments put in.
func T(form string, args ...any) string {
	text := translated(form)
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

func translated(form string) string {
	spoken.RLock()
	text, ok := spoken.forms[form]
	language := spoken.language
	spoken.RUnlock()
	if ok {
		return text
	}
	text = form
	if language != English { // English forms are their own texts
		text = lang.L(form)
	}
	spoken.Lock()
	defer spoken.Unlock()
	if spoken.language == language {
		spoken.forms[form] = text
	}
	return text
}

// N returns a form that depends on the number n, which its first %s stands
// for, with the other arguments after it: "%s files".
func N(form string, n int, args ...any) string {
	english()
	return fmt.Sprintf(lang.N(form, n), append([]any{Count(n)}, args...)...)
}
