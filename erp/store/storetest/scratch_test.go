package storetest
import ("testing";"time";"comptoir/erp/store";"context")
func TestTiming(t *testing.T){
 s,err:=shared.server(t.Context()); if err!=nil{t.Fatal(err)}
 for range 6 {
  t0:=time.Now()
  u,drop,err:=s.makeDatabase(t.Context()); if err!=nil{t.Fatal(err)}
  t1:=time.Now()
  db,err:=store.Open(context.Background(),store.Options{URL:u}); if err!=nil{t.Fatal(err)}
  t2:=time.Now()
  db.Close()
  t3:=time.Now()
  drop()
  t.Log("create",t1.Sub(t0),"open",t2.Sub(t1),"close",t3.Sub(t2),"drop",time.Since(t3))
 }
}
