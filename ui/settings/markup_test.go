package settings

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
)

// The page as a whole, as it is at first and with what is wrong said in its
// places.
func TestMarkup(t *testing.T) {
	for name, show := range map[string]func(v *View, k *keeper){
		"usual": func(*View, *keeper) {},
		"reached": func(v *View, _ *keeper) {
			v.SetTray(true)
			v.SetStatus(domain.Status{PeerID: "12D3", Name: "Mira", Addresses: []string{"/ip4/10.0.0.1/tcp/17685"}, Port: 17685})
		},
		"problems": func(v *View, k *keeper) {
			v.SetTray(false)
			v.SetStatus(domain.Status{Name: "Mira", Port: 20001, PortTaken: 17685})
			v.name.entry.SetText("a:b")
			v.name.save()
			k.err = fmt.Errorf("nobody answered at 10.0.0.9: %w", domain.ErrNotFound)
			v.address.entry.SetText("10.0.0.9")
			v.dial()
			k.values.Language = "de"
			v.Load()
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, k, w := newView(t)
			show(v, k)
			w.Canvas().Unfocus()
			w.Resize(fyne.NewSize(704, 1800))
			test.AssertRendersToMarkup(t, name+".xml", w.Canvas())
		})
	}
}
