// Package sample holds queries in the ways in which they are written.
package sample

const (
	columns = `name, next`
	read    = `SELECT ` + columns + `
		FROM counter WHERE name = $1`
	unfinished = `SELECT * FROM counter WHERE name IN (%s)`
)

type db struct{}

func (db) Query(string, ...any) {}

func use(d db, list string) {
	const local = `UPDATE counter SET next = next + $1`
	d.Query(read)
	d.Query(local + ` WHERE name = $2`)
	d.Query("DELETE FROM counter")
	d.Query(`SELECT next FROM counter WHERE name IN (` + list + `)`)
	d.Query("SELECT a colour")
	d.Query("Select one of these")
}
