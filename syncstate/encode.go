package syncstate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// digestSize is how much of a digest is kept: 16 bytes make a wrong match as
// unlikely as a damaged disk that nobody notices.
const digestSize = 16

// maxID keeps the keys well below the limit of bbolt; longer ids are hashed.
const maxID = 512

// The first byte of a stored id: numbers sort as numbers, before the rest.
const (
	idNumber byte = iota
	idText
	idHashed
)

var errShort = errors.New("an entry is too short")

// encodeID returns the form of an external id in which numbers sort by value.
func encodeID(id string) []byte {
	if n, err := strconv.ParseUint(id, 10, 64); err == nil && strconv.FormatUint(n, 10) == id {
		return binary.BigEndian.AppendUint64([]byte{idNumber}, n)
	}
	if len(id) <= maxID {
		return append([]byte{idText}, id...)
	}
	sum := sha256.Sum256([]byte(id))
	return append([]byte{idHashed}, sum[:]...)
}

// encodeDigest shortens a digest. None stays none.
func encodeDigest(digest string) []byte {
	if digest == "" {
		return nil
	}
	if raw, err := hex.DecodeString(digest); err == nil && len(raw) >= digestSize {
		return raw[:digestSize]
	}
	sum := sha256.Sum256([]byte(digest))
	return sum[:digestSize]
}

func encodeSequence(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// An entry is the number of the stream that wrote it (4 bytes), the fence at
// which it did (8 bytes) and the digest.
const entryHead = 4 + 8

func encodeEntry(st stream, digest []byte) []byte {
	e := make([]byte, 0, entryHead+len(digest))
	e = binary.BigEndian.AppendUint32(e, st.number)
	e = binary.BigEndian.AppendUint64(e, uint64(st.mark.Fence))
	return append(e, digest...)
}

func entryHas(entry, digest []byte) bool {
	return len(entry) >= entryHead && bytes.Equal(entry[entryHead:], digest)
}

func entryOrigin(entry []byte) (number uint32, fence int64, err error) {
	if len(entry) < entryHead {
		return 0, 0, errShort
	}
	return binary.BigEndian.Uint32(entry), int64(binary.BigEndian.Uint64(entry[4:])), nil
}

// stream is a mark as it is stored. The number stands for the stream's name in
// the entries; zero until it is stored for the first time.
type stream struct {
	number uint32
	mark   Mark
}

func (m Mark) equal(o Mark) bool { return m.Fence == o.Fence && bytes.Equal(m.Cursor, o.Cursor) }

// A stream is stored as a checksum of the rest (4 bytes), its number (4), the
// fence (8) and the cursor. The checksum is there because bbolt has none for
// its content, and a cursor that has changed on the disk could pass over
// records in silence.
const streamHead = 4 + 4 + 8

func encodeStream(st stream) []byte {
	v := make([]byte, 4, streamHead+len(st.mark.Cursor))
	v = binary.BigEndian.AppendUint32(v, st.number)
	v = binary.BigEndian.AppendUint64(v, uint64(st.mark.Fence))
	v = append(v, st.mark.Cursor...)
	binary.BigEndian.PutUint32(v, crc32.ChecksumIEEE(v[4:]))
	return v
}

func decodeStream(v []byte) (stream, error) {
	if len(v) < streamHead {
		return stream{}, errShort
	}
	if binary.BigEndian.Uint32(v) != crc32.ChecksumIEEE(v[4:]) {
		return stream{}, errors.New("the checksum of a mark is wrong")
	}
	st := stream{
		number: binary.BigEndian.Uint32(v[4:]),
		mark:   Mark{Fence: int64(binary.BigEndian.Uint64(v[8:]))},
	}
	if len(v) > streamHead {
		st.mark.Cursor = bytes.Clone(v[streamHead:])
	}
	return st, nil
}

func loadStream(tx *bolt.Tx, name string) (stream, error) {
	v := tx.Bucket(bucketStreams).Get([]byte(name))
	if v == nil {
		return stream{}, nil
	}
	st, err := decodeStream(v)
	if err != nil {
		return stream{}, &DamagedError{Path: tx.DB().Path(), Err: err}
	}
	return st, nil
}

// storeStream stores the mark, and gives a new stream its number.
func storeStream(tx *bolt.Tx, name string, st *stream) error {
	b := tx.Bucket(bucketStreams)
	if st.number == 0 {
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		st.number = uint32(n)
	}
	return b.Put([]byte(name), encodeStream(*st))
}
