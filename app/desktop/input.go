package desktop

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// settle is the time between moving the pointer and pressing a button. A
// program takes a moment to notice what lies under the pointer, a longer one
// on a machine that is busy compiling.
const settle = 150 * time.Millisecond

// The buttons of a mouse.
const (
	left  = 1
	right = 3
)

// key is how a keyboard makes a symbol.
type key struct {
	code  xproto.Keycode
	shift bool
}

// The symbols of keys that have a name rather than a character.
var namedKeys = map[string]xproto.Keysym{
	"backspace": 0xff08,
	"tab":       0xff09,
	"enter":     0xff0d,
	"escape":    0xff1b,
	"space":     0x0020,
	"home":      0xff50,
	"left":      0xff51,
	"up":        0xff52,
	"right":     0xff53,
	"down":      0xff54,
	"pageup":    0xff55,
	"pagedown":  0xff56,
	"end":       0xff57,
	"insert":    0xff63,
	"menu":      0xff67,
	"delete":    0xffff,
	"shift":     0xffe1,
	"ctrl":      0xffe3,
	"alt":       0xffe9,
	"super":     0xffeb,
	"f1":        0xffbe, "f2": 0xffbf, "f3": 0xffc0, "f4": 0xffc1, "f5": 0xffc2, "f6": 0xffc3,
	"f7": 0xffc4, "f8": 0xffc5, "f9": 0xffc6, "f10": 0xffc7, "f11": 0xffc8, "f12": 0xffc9,
}

// keyboard learns which key makes which symbol.
func keyboard(x *xgb.Conn) (map[xproto.Keysym]key, error) {
	setup := xproto.Setup(x)
	count := setup.MaxKeycode - setup.MinKeycode + 1
	mapping, err := xproto.GetKeyboardMapping(x, setup.MinKeycode, byte(count)).Reply()
	if err != nil {
		return nil, fmt.Errorf("read the keyboard's layout: %w", err)
	}
	keys := make(map[xproto.Keysym]key)
	per := int(mapping.KeysymsPerKeycode)
	for i := range int(count) {
		for level := range min(per, 2) {
			symbol := mapping.Keysyms[i*per+level]
			if _, known := keys[symbol]; symbol != 0 && !known {
				keys[symbol] = key{code: setup.MinKeycode + xproto.Keycode(i), shift: level == 1}
			}
		}
	}
	return keys, nil
}

// Move moves the pointer to a point of the screen.
func (s *Screen) Move(x, y int) error {
	if err := s.fake(xproto.MotionNotify, 0, x, y); err != nil {
		return err
	}
	time.Sleep(settle)
	return nil
}

// Click clicks on a point of the screen.
func (s *Screen) Click(x, y int) error { return s.press(x, y, left, 1) }

// DoubleClick clicks twice on a point of the screen.
func (s *Screen) DoubleClick(x, y int) error { return s.press(x, y, left, 2) }

// RightClick clicks on a point of the screen with the right button.
func (s *Screen) RightClick(x, y int) error { return s.press(x, y, right, 1) }

// ClickWith clicks on a point of the screen while a key is held: "shift",
// "ctrl", or "" for none.
func (s *Screen) ClickWith(held string, x, y int) error {
	if held == "" {
		return s.Click(x, y)
	}
	symbol, ok := namedKeys[held]
	if !ok {
		return fmt.Errorf("hold %q: there is no such key", held)
	}
	code := byte(s.keys[symbol].code)
	if err := s.fake(xproto.KeyPress, code, 0, 0); err != nil {
		return err
	}
	err := s.Click(x, y)
	return errors.Join(err, s.fake(xproto.KeyRelease, code, 0, 0))
}

func (s *Screen) press(x, y int, button byte, times int) error {
	if err := s.Move(x, y); err != nil {
		return err
	}
	for range times {
		for _, kind := range []byte{xproto.ButtonPress, xproto.ButtonRelease} {
			if err := s.fake(kind, button, 0, 0); err != nil {
				return err
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
	return nil
}

// Scroll turns the wheel down over a point of the screen, by so many steps.
func (s *Screen) Scroll(x, y, steps int) error {
	const down = 5
	return s.press(x, y, down, steps)
}

// Type types a text on a US keyboard.
func (s *Screen) Type(text string) error {
	for _, r := range text {
		symbol := xproto.Keysym(r)
		if r == '\n' {
			symbol = namedKeys["enter"]
		}
		if err := s.stroke(symbol); err != nil {
			return fmt.Errorf("type %q: %w", text, err)
		}
	}
	return nil
}

// Key presses one key together with others: "ctrl+f", "shift+down", "f2".
func (s *Screen) Key(combination string) error {
	var symbols []xproto.Keysym
	for _, name := range strings.Split(combination, "+") {
		symbol, ok := namedKeys[name]
		if !ok && len(name) == 1 {
			symbol, ok = xproto.Keysym(name[0]), true
		}
		if !ok {
			return fmt.Errorf("press %q: there is no key %q", combination, name)
		}
		symbols = append(symbols, symbol)
	}
	if err := s.stroke(symbols...); err != nil {
		return fmt.Errorf("press %q: %w", combination, err)
	}
	return nil
}

// stroke presses keys in turn and lets them go in the reverse order.
func (s *Screen) stroke(symbols ...xproto.Keysym) error {
	var codes []xproto.Keycode
	for _, symbol := range symbols {
		k, ok := s.keys[symbol]
		if !ok {
			return fmt.Errorf("the keyboard has no %q", rune(symbol))
		}
		if k.shift {
			codes = append(codes, s.keys[namedKeys["shift"]].code)
		}
		codes = append(codes, k.code)
	}
	for _, c := range codes {
		if err := s.fake(xproto.KeyPress, byte(c), 0, 0); err != nil {
			return err
		}
	}
	for i := len(codes) - 1; i >= 0; i-- {
		if err := s.fake(xproto.KeyRelease, byte(codes[i]), 0, 0); err != nil {
			return err
		}
	}
	time.Sleep(15 * time.Millisecond)
	return nil
}

// fake makes an event as the hardware would.
func (s *Screen) fake(kind, detail byte, x, y int) error {
	err := xtest.FakeInputChecked(s.x, kind, detail, xproto.TimeCurrentTime, s.root, int16(x), int16(y), 0).Check()
	if err != nil {
		return fmt.Errorf("move the pointer or press a key: %w", err)
	}
	return nil
}
