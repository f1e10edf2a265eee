package app_test

import (
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// party is what everybody has, and how large it is. Files of more than a few
// megabytes have holes, so that they take no room.
var party = map[string]map[string]int64{
	"Ana": {
		"Holiday in Norway/Aurora over the harbour, seen from the ferry on the last evening.jpg": photo,
		"Holiday in Norway/Bergen.jpg":             photo,
		"Holiday in Norway/Fjord at noon.jpg":      photo,
		"Holiday in Norway/Lofoten.jpg":            photo,
		"Holiday in Norway/Midnight sun.jpg":       photo,
		"Holiday in Norway/Northern lights.mp4":    2_640_000_000,
		"Holiday in Norway/Packing list.txt":       1_240,
		"Holiday in Norway/Route.gpx":              184_000,
		"Holiday in Norway/Tickets.pdf":            310_000,
		"Holiday in Norway/Sounds/Waterfall.flac":  41_000_000,
		"Holiday in Norway/Sounds/Seagulls.flac":   12_400_000,
		"Recipes/Cardamom buns.pdf":                420_000,
		"Recipes/Fish soup from Norway.odt":        35_000,
		"Recipes/Waffles.txt":                      900,
		"Band practice/Demo 3.mp3":                 6_800_000,
		"Band practice/Demo 4, slower.mp3":         7_100_000,
		"Street map.pdf":                           18_600_000,
		"Slides for Thursday.odp":                  4_300_000,
		"Norwegian for beginners.epub":             2_100_000,
		"Photos of the street party 2024.zip":      96_000_000,
		"Bike repair/Changing a chain.mp4":         74_000_000,
		"Bike repair/Spare parts.ods":              28_000,
		"Holiday in Norway/Sounds/Rain.flac":       22_000_000,
		"Holiday in Norway/Day 1/Notes.txt":        2_300,
		"Holiday in Norway/Day 2/Notes.txt":        1_900,
		"Holiday in Norway/Day 3/Notes.txt":        2_700,
		"Holiday in Norway/Day 1/Ferry ticket.pdf": 96_000,
	},
	"Ben": {
		"Talk about bees.mp4":            340_000_000,
		"Robotics club/Gripper.stl":      3_900_000,
		"Robotics club/Wiring.pdf":       720_000,
		"Robotics club/Firmware.tar.gz":  14_200_000,
		"North Sea in winter, talk.webm": 210_000_000,
	},
	"Cleo": {
		"Choir/Alto.mp3":     5_200_000,
		"Choir/Bass.mp3":     5_100_000,
		"Choir/Score.pdf":    890_000,
		"Film night/Up.mkv":  480_000_000,
		"Northbound, EP.zip": 61_000_000,
	},
	"Dora": {
		"Field recordings/Frogs.wav":   88_000_000,
		"Field recordings/Thunder.wav": 120_000_000,
	},
	"Mira": {
		"Garden plans/Beds in spring.pdf":             640_000,
		"Garden plans/Measured from the air.tif":      1_900_000_000,
		"Garden plans/Seeds.ods":                      22_000,
		"Choir concert.wav":                           48_000_000,
		"Reading list.odt":                            31_000,
		"Bread.txt":                                   1_800,
		"Archive of the reading group/Recordings.tar": 60_000_000_000,
		"Cookbook/Soups.pdf":                          2_200_000,
		"Cookbook/Cakes.pdf":                          3_100_000,
	},
}

// photo stands for a picture in place of a size.
const photo = -1

// writeParty writes what everybody has below a folder.
func writeParty(t *testing.T, root string) {
	t.Helper()
	day := time.Now().Add(-26 * time.Hour)
	for name, files := range party {
		for file, size := range files {
			path := filepath.Join(root, name, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if size == photo {
				writePhoto(t, path)
			} else {
				writeHoles(t, path, size)
			}
			// Times that are not all the same, and the same each time.
			at := day.Add(-time.Duration(noise(file, 1)[0]) * 31 * time.Hour)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// writeHoles writes a file that begins with noise; the rest of a large one is
// a hole.
func writeHoles(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.WriteFile(path, noise(filepath.Base(path), int(min(size, 1<<20))), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// writePhoto paints a landscape, another one for each name.
func writePhoto(t *testing.T, path string) {
	t.Helper()
	view := newLandscape(filepath.Base(path))
	img := image.NewRGBA(image.Rect(0, 0, photoWidth, photoHeight))
	for y := range photoHeight {
		for x := range photoWidth {
			img.SetRGBA(x, y, view.at(x, y))
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(f, img, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

const (
	photoWidth  = 1200
	photoHeight = 800
)

// shade is a colour, its parts from 0 to 1.
type shade [3]float64

// mix is a and a part of b.
func (a shade) mix(b shade, part float64) shade {
	for i := range a {
		a[i] += (b[i] - a[i]) * min(max(part, 0), 1)
	}
	return a
}

// landscape is a sky with the sun in it, three ranges of mountains, and their
// picture in the water. Heights go from 0, the upper edge, to 1.
type landscape struct {
	high, low  shade // the sky, above and at the horizon
	sunX, sunY float64
	shore      float64
	ridges     [3][photoWidth]float64
}

var skies = [][2]shade{
	{{0.30, 0.50, 0.76}, {0.96, 0.83, 0.66}},
	{{0.16, 0.22, 0.45}, {0.98, 0.58, 0.42}},
	{{0.38, 0.62, 0.82}, {0.89, 0.93, 0.92}},
}

func newLandscape(name string) *landscape {
	seed := noise(name, 8)
	part := func(i int) float64 { return float64(seed[i]) / 255 }
	sky := skies[int(seed[0])%len(skies)]
	l := &landscape{
		high: sky[0], low: sky[1],
		sunX: 0.2 + 0.6*part(1), sunY: 0.2 + 0.15*part(2),
		shore: 0.62 + 0.08*part(3),
	}
	for r := range l.ridges {
		for x := range photoWidth {
			rise, size, at := 0.0, 0.16, 3*float64(x)/photoWidth
			for octave := range 7 {
				rise += size * math.Abs(math.Sin(at*1.7*math.Pow(2, float64(octave))+7*part(4+r)+float64(octave*octave)))
				size /= 2
			}
			l.ridges[r][x] = l.shore - 0.05 + 0.10*float64(r) - rise
		}
	}
	return l
}

// at is the colour of a pixel.
func (l *landscape) at(x, y int) color.RGBA {
	height, light := float64(y)/photoHeight, 1.0
	if deep := height - l.shore; deep > 0 {
		// Water shows the same, darker and broken by waves.
		wave := math.Sin(220*deep+0.02*float64(x)) * math.Sin(0.013*float64(x)+40*deep)
		height, light = l.shore-1.3*deep+0.012*wave, 0.78-deep/2
	}
	c := l.sky(float64(x)/photoWidth, height)
	for r, ridge := range l.ridges {
		if height < ridge[x] {
			continue
		}
		c = c.mix(l.low, 0.4).mix(shade{0.10, 0.19, 0.20}, 0.35+0.275*float64(r))
		if r == 0 && height < ridge[x]+0.03+0.02*math.Sin(0.2*float64(x)) {
			c = c.mix(shade{0.97, 0.97, 1}, 0.55) // snow
		}
	}
	of := func(i int) uint8 { return uint8(255 * min(max(c[i]*light, 0), 1)) }
	return color.RGBA{of(0), of(1), of(2), 0xff}
}

func (l *landscape) sky(x, height float64) shade {
	away := math.Hypot(x-l.sunX, (height-l.sunY)*photoHeight/photoWidth)
	return l.high.mix(l.low, height/l.shore).mix(shade{1, 0.96, 0.84}, 0.0022/(away*away+0.0009))
}
