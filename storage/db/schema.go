package db

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// The buckets. Top-level ones belong to one room each.
var (
	bucketMeta = []byte("meta")
	keySchema  = []byte("schema") // 4 bytes, big endian
	keyNew     = []byte("new")    // there until Settle

	bucketLibrary  = []byte("library")
	bucketShares   = []byte("shares")   // name → Share
	bucketFiles    = []byte("files")    // path → File
	bucketContents = []byte("contents") // content ID, path → nothing
	bucketLayers   = []byte("layers")   // content ID → layer
	bucketLog      = []byte("log")      // sequence → Change
	keyVersion     = []byte("version")  // in bucketLibrary → Version
	bucketFetches  = []byte("fetches")  // share → a bucket of the following
	keyCount       = []byte("count")    // → how many there ever were, 8 bytes, big endian
	bucketLatest   = []byte("latest")   // number → Fetch

	bucketBrowse     = []byte("browse")
	bucketHeads      = []byte("heads")      // peer → Head
	bucketCatalogues = []byte("catalogues") // peer → a bucket of the following
	keyState         = []byte("state")      // → Catalogue
	bucketEntries    = []byte("entries")    // path → Entry

	bucketPeople = []byte("people") // peer → Person

	bucketTransfers = []byte("transfers") // ID → a bucket of the following
	keyTransfer     = []byte("transfer")  // → Transfer
	bucketParts     = []byte("files")     // index → TransferFile
	bucketMarks     = []byte("marks")     // index → absolute path of the finished file

	bucketOffers = []byte("offers") // ID → Offer

	bucketFound = []byte("found") // content ID → Found
)

// migration leads from one schema to the next.
type migration func(tx *bbolt.Tx) error

// migrations is the history of the schema: the n-th entry leads from schema n
// to n+1. A new file begins at 0 and goes through all of them.
var migrations = []migration{begin, keepFetches, keepOffers, keepFound}

// migrate brings the file up to the newest schema, all steps in one
// transaction, or refuses it if it is newer still.
func migrate(tx *bbolt.Tx, steps []migration) error {
	meta, err := tx.CreateBucketIfNotExists(bucketMeta)
	if err != nil {
		return err
	}
	schema := 0
	if raw := meta.Get(keySchema); raw != nil {
		if len(raw) != 4 {
			return fmt.Errorf("%w: the schema's number has %d bytes", domain.ErrDamaged, len(raw))
		}
		schema = int(binary.BigEndian.Uint32(raw))
	}
	if schema == len(steps) {
		return nil
	}
	if schema > len(steps) {
		return fmt.Errorf("%w: it has schema %d and this Potluck knows up to %d; start the newer Potluck again",
			domain.ErrVersion, schema, len(steps))
	}
	if schema == 0 {
		if err := meta.Put(keyNew, []byte{1}); err != nil {
			return err
		}
	}
	for n := schema; n < len(steps); n++ {
		if err := steps[n](tx); err != nil {
			return fmt.Errorf("bring schema %d to %d: %w", n, n+1, err)
		}
	}
	return meta.Put(keySchema, binary.BigEndian.AppendUint32(nil, uint32(len(steps))))
}

// begin makes the first schema.
func begin(tx *bbolt.Tx) error {
	library, err := tx.CreateBucketIfNotExists(bucketLibrary)
	if err != nil {
		return err
	}
	for _, name := range [][]byte{bucketShares, bucketFiles, bucketContents, bucketLayers, bucketLog} {
		if _, err := library.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	browse, err := tx.CreateBucketIfNotExists(bucketBrowse)
	if err != nil {
		return err
	}
	for _, name := range [][]byte{bucketHeads, bucketCatalogues} {
		if _, err := browse.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	for _, name := range [][]byte{bucketPeople, bucketTransfers} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	// The change log begins now.
	epoch := uint64(time.Now().UnixNano())
	return put(library, keyVersion, &pb.Version{Epoch: epoch})
}

// keepFetches makes room for who fetched what.
func keepFetches(tx *bbolt.Tx) error {
	_, err := tx.Bucket(bucketLibrary).CreateBucketIfNotExists(bucketFetches)
	return err
}

// keepFound makes room for where downloads lie that are in no list any more.
func keepFound(tx *bbolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(bucketFound)
	return err
}

// keepOffers makes room for offers, made and got.
func keepOffers(tx *bbolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(bucketOffers)
	return err
}
