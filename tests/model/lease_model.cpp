// The protocol by which slots change hands between logic nodes (release, evict, claim, start, the fence of each
// write, marks and pending ids, one lane), as an explicit-state model: breadth first, states by 64-bit
// fingerprints, shortest traces. What it says of each rule is in README.md; whoever changes the protocol changes
// this first. Names are as short as those of a paper: states are copied by the million.
//
// One database, NN nodes, SS slots (slot 0 is the sender's, slot SS-1 the receiver's), two messages m1, m2 of one
// sender. Arguments are name=value, see Flags. Exit status 0: nothing found, 1: a trace was, 2: an unknown name.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>
#ifndef NN
#define NN 2
#endif
#ifndef SS
#define SS 1
#endif
using u8 = uint8_t;
using u64 = uint64_t;
using u32 = uint32_t;
constexpr int R = SS - 1;  // receiver's slot
constexpr int NONE = NN;   // owner NULL
constexpr int KST = 6, KPK = 3;

// ---- flags -------------------------------------------------------------------------------------------------------------
struct Flags {
  // protocol choices
  int adopt =
      1;  // a refused writer learns the barrier: 0 from im_node alone (as the code does), 1 together with the owned set
  int relb = 1;  // release is guarded by the barrier it was sent under
  int rebump =
      2;  // a slot found owned but not held: 0 taken silently, 1 by "reclaim" (barrier+1, slot epoch+1), 2 released (again), then claimed
  int gen = 1;  // works carry a token that differs for each loading of a slot (else: slot epoch only)
  int txchk =
      1;  // multi-statement transactions compare 0: epoch, 1: epoch and barrier   (both: slot in the snapshot)
  int txsnap = 1;  // ... and look at the snapshot after the lock
  // mutations
  int nobump = 0;        // release does not raise the barrier
  int f1 = 0;            // fence values are read at the INSERT (and barrier), not from the batch's snapshot
  int f3 = 0;            // release writes a mark that leaves out what is moved to im_pending in memory only
  int noid = 0;          // lane results without batch identity
  int lookupless = 0;    // (no unique key msg_to,msg_id) and a lost batch is inserted again without lookup
  int settle0 = 0;       // doubtful statement settled by lookup without raising the barrier
  int nobarval = 0;      // statements do not name the barrier (only the epoch)
  int evnoraise = 0;     // evict takes the slots without raising the victim's epoch
  int claimnofence = 0;  // claim without own fence
  int claimsteal = 0;    // claim does not ask for owner IS NULL of a live owner (no evict, no wait)
  int nolock = 0;        // the share lock of a multi-statement transaction is not held
  int redoearly = 0;     // redo is read before the claim commits
  int noids = 0;         // largest ids not read at claim
  int norecon = 0;       // no reconciliation of owned slots by the beat
  int markdoubt = 0;     // mark does not wait for ids in doubt
  int markguard0 = 0;    // mark not guarded by owner and epoch
  int p2 = 1;            // report P2 (0: go on, to see what the loss looks like)
  int early = 1;         // report marks that pass an undelivered id at once (else only the loss itself)
  int oldepochs = 0;     // start does not raise own epoch
  int stale =
      0;  // a released/lost slot is not unloaded: kept serving until the beat (release publishes after the DB)
  int adoptep = 0;    // a node goes on under an epoch that another raised
  int evnofence = 0;  // evict without own fence
  // budgets
  int twoflight = 0;  // several batches of a lane in flight
  int pendlate = 0;   // mark first, im_pending in a later transaction
  int both = 0;       // A owns both slots at the beginning
  int ef = 0;    // also: from every state a quiescent one can be reached by normal steps alone (no livelock)
  int skew = 0;  // A's clock is ahead at the beginning
  int rel = 1, ev = 1, crash = 1, loss = 2, resend = 0, lane = 1, pend = 0, tx = 0, msgs = 2;
  long max = 60000000;
} F;
static std::map<std::string, int Flags::*> kFlags = {{"adopt", &Flags::adopt},
                                                     {"relb", &Flags::relb},
                                                     {"rebump", &Flags::rebump},
                                                     {"gen", &Flags::gen},
                                                     {"txchk", &Flags::txchk},
                                                     {"txsnap", &Flags::txsnap},
                                                     {"nobump", &Flags::nobump},
                                                     {"f1", &Flags::f1},
                                                     {"f3", &Flags::f3},
                                                     {"noid", &Flags::noid},
                                                     {"lookupless", &Flags::lookupless},
                                                     {"settle0", &Flags::settle0},
                                                     {"nobarval", &Flags::nobarval},
                                                     {"evnoraise", &Flags::evnoraise},
                                                     {"claimnofence", &Flags::claimnofence},
                                                     {"claimsteal", &Flags::claimsteal},
                                                     {"nolock", &Flags::nolock},
                                                     {"redoearly", &Flags::redoearly},
                                                     {"noids", &Flags::noids},
                                                     {"norecon", &Flags::norecon},
                                                     {"markdoubt", &Flags::markdoubt},
                                                     {"markguard0", &Flags::markguard0},
                                                     {"early", &Flags::early},
                                                     {"p2", &Flags::p2},
                                                     {"oldepochs", &Flags::oldepochs},
                                                     {"stale", &Flags::stale},
                                                     {"adoptep", &Flags::adoptep},
                                                     {"evnofence", &Flags::evnofence},
                                                     {"ef", &Flags::ef},
                                                     {"both", &Flags::both},
                                                     {"twoflight", &Flags::twoflight},
                                                     {"pendlate", &Flags::pendlate},
                                                     {"skew", &Flags::skew},
                                                     {"rel", &Flags::rel},
                                                     {"ev", &Flags::ev},
                                                     {"crash", &Flags::crash},
                                                     {"loss", &Flags::loss},
                                                     {"resend", &Flags::resend},
                                                     {"lane", &Flags::lane},
                                                     {"pend", &Flags::pend},
                                                     {"tx", &Flags::tx},
                                                     {"msgs", &Flags::msgs}};

// ---- state -------------------------------------------------------------------------------------------------------------
enum Kind : u8 { NOST, OUT, IN, TXB, TXC, BAR, REL, EVICT, CLAIM, RECLAIM, START, UPKEEP };
static const char* kname[] = {"-",       "INSERT outbox", "INSERT inbox", "BEGIN + S lock", "row + COMMIT",
                              "barrier", "release",       "evict",        "claim",          "reclaim",
                              "start",   "upkeep"};
enum Res : u8 { R_NONE, R_OK, R_FENCE, R_DUP };
union Stmt {
  struct {
    u64 kind : 4, node : 2, orphan : 1, phase : 1, res : 2, dead : 1, e : 4, b : 4, slot : 1, se : 4,
        mask : 2, id : 5, seq : 2, val : 5, add : 2, rem : 2, g : 3, isin : 1;
  } f;
  u64 v;
};
struct Pkt {
  u8 used, src, dst, sse, bno, mask, phase, res;
};  // res: mask stored
struct Node {
  u8 up, e, b, se[SS], st[SS], g[SS], clk;
  u8 k;  // keeper: 0 idle, 1 waits for an answer, 2 outcome unknown
  u8 w, wk, wmask, we, wb, wse, wg, wid, wtx, wsrc, wsse, wbno, wall;  // writer
  u8 lane[2], pd[2], bno;
};
struct State {
  u8 nep[NN], nba[NN], own[SS], sep[SS], mark, pend;
  u8 oid[2], oseq[2], ib[3];
  u8 acked;
  Node n[NN];
  Pkt p[KPK];
  u8 brel, bev, bcrash, bloss, bresend, blane, bpend, btx;
  Stmt s[KST];
};
static_assert(sizeof(Stmt) == 8);
enum { W_IDLE, W_WAIT, W_DOUBT, W_BAR, W_LOOK, W_FENCED, W_REFUSED, W_DUP, W_HOLD };

static void sortState(State& s);
// Exact reductions (bisimulation): statements that can never again have an effect are dropped; epochs, barriers, slot epochs and
// generations count only relative to each other.
static void canon(State& s) {
  for (auto& q : s.s)
    if (q.f.kind && q.f.orphan) {
      int i = q.f.node;
      bool e = q.f.e < s.nep[i], b = q.f.b < s.nba[i];
      bool gone = false;
      switch (q.f.kind) {
        case OUT:
        case IN:
          gone = e || (b && !F.nobarval);
          break;
        case TXB:
          gone = !q.f.phase && (e || (b && F.txchk));
          break;
        case BAR:
        case UPKEEP:
          gone = e;
          break;
        case REL:
        case RECLAIM:
          gone = e || (b && F.relb);
          break;
        case EVICT:
          gone = (e && !F.evnofence) || q.f.id < s.nep[q.f.val];
          break;
        case CLAIM:
          gone = e && !F.claimnofence;
          break;
        default:
          break;
      }
      if (gone) q.v = 0;
    }
  for (auto& p : s.p)
    if (p.used && p.phase == 1 && !F.noid) {
      const Node& n = s.n[p.src];
      if (!n.up || n.st[0] != 2 || n.se[0] != p.sse || n.bno != p.bno || !(n.lane[0] == 2 || n.lane[1] == 2))
        p = {};
    }
  for (int i = 0; i < NN; ++i) {
    Node& n = s.n[i];
    for (int x = 0; x < SS; ++x) {
      bool used = n.w != 0 && (n.wk == OUT ? 0 : R) == x;
      n.g[x] = used && n.g[x] != n.wg ? 1 : 0;
    }
    n.wg = 0;
    int lo = s.nba[i];
    if (n.e) lo = std::min<int>(lo, n.b);
    if (n.w) lo = std::min<int>(lo, n.wb);
    auto hasB = [&](const Stmt& q) {
      return q.f.kind == OUT || q.f.kind == IN || q.f.kind == TXB || q.f.kind == TXC || q.f.kind == REL ||
             q.f.kind == RECLAIM || (q.f.kind == START && q.f.phase && q.f.res == R_OK);
    };
    auto hasBV = [&](const Stmt& q) {
      return (q.f.kind == REL || q.f.kind == BAR) && q.f.phase && q.f.res == R_OK;
    };
    for (auto& q : s.s)
      if (q.f.kind && (int)q.f.node == i) {
        if (hasB(q)) lo = std::min<int>(lo, q.f.b);
        if (hasBV(q)) lo = std::min<int>(lo, q.f.val);
      }
    if (lo) {
      s.nba[i] -= lo;
      if (n.e) n.b -= lo;
      if (n.w) n.wb -= lo;
      for (auto& q : s.s)
        if (q.f.kind && (int)q.f.node == i) {
          if (hasB(q)) q.f.b -= lo;
          if (hasBV(q)) q.f.val -= lo;
        }
    }
    lo = s.nep[i];
    if (n.e) lo = std::min<int>(lo, n.e);
    if (n.w) lo = std::min<int>(lo, n.we);
    auto hasE = [&](const Stmt& q) { return q.f.kind != START; };
    for (auto& q : s.s)
      if (q.f.kind) {
        if ((int)q.f.node == i && hasE(q)) lo = std::min<int>(lo, q.f.e);
        if ((int)q.f.node == i && q.f.kind == START && q.f.phase) lo = std::min<int>(lo, q.f.val);
        if (q.f.kind == EVICT && (int)q.f.val == i) lo = std::min<int>(lo, q.f.id);
      }
    if (--lo > 0) {
      s.nep[i] -= lo;
      if (n.e) n.e -= lo;
      if (n.w) n.we -= lo;
      for (auto& q : s.s)
        if (q.f.kind) {
          if ((int)q.f.node == i && hasE(q)) q.f.e -= lo;
          if ((int)q.f.node == i && q.f.kind == START && q.f.phase) q.f.val -= lo;
          if (q.f.kind == EVICT && (int)q.f.val == i) q.f.id -= lo;
        }
    }
    bool flight = n.lane[0] == 2 || n.lane[1] == 2, ref = flight;
    for (auto& p : s.p) ref |= p.used && p.src == i;
    for (int j = 0; j < NN; ++j) ref |= s.n[j].w && s.n[j].wk == IN && s.n[j].wsrc == i;
    if (!ref) n.bno = 0;
  }
  for (int x = 0; x < SS; ++x) {
    int lo = s.sep[x];
    auto hasS = [&](const Stmt& q) {
      return (q.f.kind == OUT || q.f.kind == IN || q.f.kind == TXB || q.f.kind == TXC)
                 ? (int)q.f.slot == x
                 : q.f.kind == UPKEEP && x == 0;
    };
    auto hasV = [&](const Stmt& q) {
      return (q.f.kind == CLAIM || q.f.kind == RECLAIM) && q.f.phase && q.f.res == R_OK && (int)q.f.slot == x;
    };
    for (auto& q : s.s)
      if (q.f.kind) {
        if (hasS(q)) lo = std::min<int>(lo, q.f.se);
        if (hasV(q)) lo = std::min<int>(lo, q.f.val);
      }
    for (auto& n : s.n) {
      if (n.st[x] && n.se[x]) lo = std::min<int>(lo, n.se[x]);
      if (n.w && (n.wk == OUT ? 0 : R) == x) lo = std::min<int>(lo, n.wse);
      if (x == 0 && n.w && n.wk == IN && n.wsse) lo = std::min<int>(lo, n.wsse);
    }
    if (x == 0)
      for (auto& p : s.p)
        if (p.used) lo = std::min<int>(lo, p.sse);
    if (--lo > 0) {
      s.sep[x] -= lo;
      for (auto& q : s.s)
        if (q.f.kind) {
          if (hasS(q)) q.f.se -= lo;
          if (hasV(q)) q.f.val -= lo;
        }
      for (auto& n : s.n) {
        if (n.st[x] && n.se[x]) n.se[x] -= lo;
        if (n.w && (n.wk == OUT ? 0 : R) == x) n.wse -= lo;
        if (x == 0 && n.w && n.wk == IN && n.wsse) n.wsse -= lo;
      }
      if (x == 0)
        for (auto& p : s.p)
          if (p.used) p.sse -= lo;
    }
  }
  sortState(s);
}
static void sortState(State& s) {
  std::sort(s.s, s.s + KST, [](const Stmt& a, const Stmt& b) { return a.v > b.v; });
  std::sort(s.p, s.p + KPK, [](const Pkt& a, const Pkt& b) { return memcmp(&a, &b, sizeof(Pkt)) > 0; });
}
static u64 fp(const State& s) {
  static_assert(sizeof(State) % 8 == 0 || true);
  const unsigned char* p = reinterpret_cast<const unsigned char*>(&s);
  u64 h = 0x9E3779B97F4A7C15ull;
  size_t i = 0;
  for (; i + 8 <= sizeof(State); i += 8) {
    u64 x;
    memcpy(&x, p + i, 8);
    h ^= x;
    h *= 0xff51afd7ed558ccdull;
    h ^= h >> 32;
    h *= 0xc4ceb9fe1a85ec53ull;
    h ^= h >> 29;
  }
  u64 x = 0;
  memcpy(&x, p + i, sizeof(State) - i);
  h ^= x;
  h *= 0xff51afd7ed558ccdull;
  h ^= h >> 32;
  h *= 0xc4ceb9fe1a85ec53ull;
  h ^= h >> 29;
  return h ? h : 1;
}

// ---- expansion ---------------------------------------------------------------------------------------------------------
static bool tracing = false;
extern bool violFlag;
struct Viol {
  std::string text;
  Viol& operator=(std::string t);
  void clear() { text.clear(); }
  bool empty() const { return text.empty(); }
  size_t size() const { return text.size(); }
};
static Viol viol;  // set by a transition that violates a property
static const char* NAME = "ABC";
static std::string nm(int n) { return n == NONE ? "nobody" : std::string(1, NAME[n]); }
static std::string sl(int s) { return SS == 1 ? "x" : (s == 0 ? "x" : "y"); }
static std::string ms(int mask) { return mask == 3 ? "m1,m2" : mask == 1 ? "m1" : mask == 2 ? "m2" : "-"; }
static std::string S(const char* text) { return tracing ? text : std::string(); }
template <typename... A>
static std::string S(const char* f, A... a) {
  if (!tracing) return {};
  char b[400];
  snprintf(b, sizeof b, f, a...);
  return b;
}

inline Viol& Viol::operator=(std::string t) {
  if (!violFlag) text = std::move(t);
  violFlag = true;
  return *this;
}
struct Ctx {
  std::function<void(State&, const std::string&, bool)> emit;  // bool: a normal (non fault) step
};
static int inboxCount(const State& s) {
  int c = 0;
  while (c < 3 && s.ib[c]) ++c;
  return c;
}
static bool inInbox(const State& s, int m) {
  for (int i = 0; i < 3; ++i)
    if (s.ib[i] == m + 1) return true;
  return false;
}
static int outCount(const State& s) { return (s.oid[0] != 0) + (s.oid[1] != 0); }
static bool put(State& s, Stmt t) {
  for (auto& x : s.s)
    if (!x.f.kind) {
      x = t;
      return true;
    }
  return false;
}
static int freeStmts(const State& s) {
  int c = 0;
  for (auto& x : s.s) c += !x.f.kind;
  return c;
}
static bool blocked(const State& s, int node) {  // somebody holds the share lock of this node's row
  if (F.nolock) return false;
  for (auto& x : s.s)
    if (x.f.kind && (int)x.f.node == node &&
        ((x.f.kind == TXB && x.f.phase) || (x.f.kind == TXC && !x.f.phase)))
      return true;
  return false;
}
static void unload(Node& n, int s) {
  n.st[s] = 0;
  n.se[s] = 0;
  if (s == 0)
    for (int m = 0; m < 2; ++m) n.lane[m] = n.pd[m] = 0;
}
static void dropAll(Node& n) {
  n.e = n.b = 0;
  for (int s = 0; s < SS; ++s) unload(n, s);
  n.k = 0;
}
static bool token(const Node& n, int slot) {
  return n.st[slot] == 2 && n.se[slot] == n.wse && (!F.gen || n.g[slot] == n.wg);
}
static void recon(State& t, int i, bool add) {
  Node& n = t.n[i];
  if (n.e != t.nep[i]) {
    if (add && F.adoptep && n.e) {
      for (int s = 0; s < SS; ++s) unload(n, s);
      n.e = t.nep[i];
      n.b = t.nba[i];
    } else if (add)
      dropAll(n);
    return;
  }
  n.b = t.nba[i];
  if (F.norecon) return;
  for (int s = 0; s < SS; ++s) {
    bool mine = t.own[s] == i;
    if (n.st[s] && (!mine || n.se[s] != t.sep[s])) unload(n, s);
    if (add && mine && !n.st[s] && !F.rebump) {
      n.st[s] = 1;
      n.se[s] = t.sep[s];
    }
  }
}
static bool reconWouldChange(const State& s, int i) {
  const Node& n = s.n[i];
  if (n.e != s.nep[i]) return true;
  if (n.b != s.nba[i]) return true;
  if (F.norecon) return false;
  for (int x = 0; x < SS; ++x) {
    bool mine = s.own[x] == i;
    if (n.st[x] && (!mine || n.se[x] != s.sep[x])) return true;
    if (mine && !n.st[x] && !F.rebump) return true;
  }
  return false;
}
static int computeMark(const State& s, int i) {
  const Node& n = s.n[i];
  int hi = s.mark, lo = 99;
  for (int m = 0; m < 2; ++m) {
    bool un = n.lane[m] == 1 || n.lane[m] == 2;
    if (n.lane[m] == 3 || (un && n.pd[m])) hi = std::max(hi, (int)s.oid[m]);
    if (un && !n.pd[m]) lo = std::min(lo, (int)s.oid[m]);
  }
  if (!F.markdoubt && n.w != W_IDLE && n.wk == OUT)
    lo = std::min(lo, (int)n.wid);
  else if (F.markdoubt && n.w != W_IDLE && n.wk == OUT && n.w != W_WAIT)
    hi = std::max(hi, (int)n.wid);
  return std::min(hi, lo - 1);
}
static void checkMark(const State& s, const char* what) {
  if (!F.early) return;
  for (int m = 0; m < 2; ++m)
    if (s.oid[m] && s.oid[m] <= s.mark && !inInbox(s, m) && !(s.pend >> m & 1))
      viol =
          S("P1 (mark): after %s the mark %d stands at or above id %d of m%d, which is neither in the inbox "
            "nor in im_pending: no redo will find it",
            what, s.mark, s.oid[m], m + 1);
}
// A row is committed by node i.
static void commitRow(State& t, const Stmt& q) {
  int i = q.f.node, slot = q.f.slot;
  bool isIn = q.f.isin;
  if (F.p2 && (t.own[slot] != i || t.sep[slot] != q.f.se))
    viol =
        S("P2/P5: a row of %s (%s) is committed by %s under slot epoch %d, but the slot belongs to %s, epoch "
          "%d",
          ms(q.f.mask).c_str(), isIn ? "inbox" : "outbox", nm(i).c_str(), (int)q.f.se,
          nm(t.own[slot]).c_str(), t.sep[slot]);
  if (q.f.dead) viol = S("P3: an attempt that was settled as not stored is stored now");
  if (!isIn) {
    int m = q.f.mask == 1 ? 0 : 1;
    if ((int)q.f.seq != outCount(t) + 1)
      viol = S("P4: outbox sequence %d after %d", (int)q.f.seq, outCount(t));
    t.oid[m] = q.f.id;
    t.oseq[m] = q.f.seq;
    if (F.early && q.f.id <= t.mark)
      viol =
          S("P1 (mark): the row of m%d is committed with id %d at or below the mark %d: no redo will find it",
            m + 1, (int)q.f.id, t.mark);
  } else {
    int c = inboxCount(t);
    if ((int)q.f.seq != c + 1) viol = S("P4: inbox sequence %d after %d", (int)q.f.seq, c);
    for (int m = 0; m < 2; ++m)
      if (q.f.mask >> m & 1) {
        if (inInbox(t, m)) viol = S("P1: m%d stands twice in the inbox", m + 1);
        if (m == 1 && !inInbox(t, 0)) viol = S("P6: m2 is in the inbox before m1");
        if (c < 3) t.ib[c++] = m + 1;
      }
  }
}
static bool dupRow(const State& t, const Stmt& q) {
  if (!q.f.isin) {
    int m = q.f.mask == 1 ? 0 : 1;
    if (t.oid[m]) return true;  // unique client_msg_id
    for (int k = 0; k < 2; ++k)
      if (t.oid[k] && t.oseq[k] == q.f.seq) return true;  // primary key
    return false;
  }
  int c = inboxCount(t);
  if ((int)q.f.seq <= c) return true;  // primary key
  if (!F.lookupless)
    for (int m = 0; m < 2; ++m)
      if ((q.f.mask >> m & 1) && inInbox(t, m)) return true;
  return false;
}
// The server executes and commits one statement (a packet). Returns false when it has to wait for a lock.
static bool execute(State& t, Stmt& q) {
  int i = q.f.node;
  q.f.res = R_OK;
  switch (q.f.kind) {
    case OUT:
    case IN:
      if (t.nep[i] != q.f.e || (!F.nobarval && t.nba[i] != q.f.b)) {
        q.f.res = R_FENCE;
        return true;
      }
      if (dupRow(t, q)) {
        q.f.res = R_DUP;
        return true;
      }
      commitRow(t, q);
      return true;
    case TXB:
      if (t.nep[i] != q.f.e || (F.txchk && t.nba[i] != q.f.b)) {
        q.f.res = R_FENCE;
      }
      return true;
    case TXC:
      if (dupRow(t, q)) {
        q.f.res = R_DUP;
        return true;
      }
      commitRow(t, q);
      return true;
    case BAR:
      if (blocked(t, i)) return false;
      if (t.nep[i] != q.f.e) {
        q.f.res = R_FENCE;
        return true;
      }
      q.f.val = ++t.nba[i];
      return true;
    case REL:
      if (blocked(t, i)) return false;
      if (t.nep[i] != q.f.e || (F.relb && t.nba[i] != q.f.b)) {
        q.f.res = R_FENCE;
        return true;
      }
      if (!F.nobump) ++t.nba[i];
      q.f.val = t.nba[i];
      if (t.own[q.f.slot] == i) {
        t.own[q.f.slot] = NONE;
        if (F.f3 && q.f.slot == 0 && t.mark < q.f.id) {
          t.mark = q.f.id;
          checkMark(t, "the release");
        }
      }
      return true;
    case EVICT: {
      int v = q.f.val;
      if (!F.evnofence && t.nep[i] != q.f.e) {
        q.f.res = R_FENCE;
        return true;
      }
      if (!F.evnoraise && blocked(t, v)) return false;
      if (t.nep[v] != q.f.id) {
        q.f.res = R_FENCE;
        return true;
      }
      if (!F.evnoraise) ++t.nep[v];
      for (int s = 0; s < SS; ++s)
        if (t.own[s] == v) t.own[s] = NONE;
      return true;
    }
    case CLAIM:
      if (!F.claimnofence && t.nep[i] != q.f.e) {
        q.f.res = R_FENCE;
        return true;
      }
      if (t.own[q.f.slot] != NONE && !F.claimsteal) {
        q.f.res = R_DUP;
        return true;
      }
      t.own[q.f.slot] = i;
      q.f.val = ++t.sep[q.f.slot];
      return true;
    case RECLAIM:
      if (blocked(t, i)) return false;
      if (t.nep[i] != q.f.e || (F.relb && t.nba[i] != q.f.b)) {
        q.f.res = R_FENCE;
        return true;
      }
      ++t.nba[i];
      q.f.b = t.nba[i];
      if (t.own[q.f.slot] != i) {
        q.f.res = R_DUP;
        return true;
      }
      q.f.val = ++t.sep[q.f.slot];
      return true;
    case START:
      if (blocked(t, i)) return false;
      if (!F.oldepochs) ++t.nep[i];
      for (int s = 0; s < SS; ++s)
        if (t.own[s] == i) ++t.sep[s];
      q.f.val = t.nep[i];
      q.f.b = t.nba[i];
      return true;
    case UPKEEP:
      if (t.nep[i] != q.f.e) {
        q.f.res = R_FENCE;
        return true;
      }
      t.pend = (t.pend & ~q.f.rem) | q.f.add;
      if (F.markguard0 || (t.own[0] == i && t.sep[0] == q.f.se))
        if (t.mark < q.f.val) t.mark = q.f.val;
      checkMark(t, "the upkeep");
      return true;
  }
  return true;
}
static bool isKeeper(int k) { return k >= REL; }

// A lane learns an outcome.
static void laneResult(State& t, int src, int sse, int bno, int mask, int stored) {
  Node& n = t.n[src];
  if (!n.up) return;
  bool flight = n.lane[0] == 2 || n.lane[1] == 2;
  if (!flight || n.st[0] != 2) return;
  if (!F.noid) {
    if (n.se[0] != sse || n.bno != bno) return;
    for (int m = 0; m < 2; ++m)
      if ((mask >> m & 1) && n.lane[m] == 2) n.lane[m] = (stored >> m & 1) ? 3 : 1;
  } else {  // by position
    int c = __builtin_popcount(stored);
    for (int m = 0; m < 2; ++m)
      if (n.lane[m] == 2) {
        n.lane[m] = c > 0 ? 3 : 1;
        --c;
      }
    if (F.early)
      for (int m = 0; m < 2; ++m)
        if (n.lane[m] == 3 && !inInbox(t, m))
          viol = S("P1: the lane of %s takes m%d for delivered, which is not in the inbox", nm(src).c_str(),
                   m + 1);
  }
}
static void writerDone(State& t, int i, int stored) {  // stored: mask of rows known to be there
  Node& n = t.n[i];
  if (n.wk == OUT) {
    if (stored) {
      t.acked |= n.wmask;
      int m = n.wmask == 1 ? 0 : 1;
      if (token(n, 0) && n.lane[m] == 0) n.lane[m] = 1;
    }
  } else {
    if (n.wsrc == i)
      laneResult(t, i, n.wsse, n.wbno, n.wall, stored);
    else
      for (auto& p : t.p)
        if (!p.used) {
          p = {1, n.wsrc, (u8)i, n.wsse, n.wbno, n.wall, 1, (u8)stored};
          break;
        }
  }
  n.w = n.wk = n.wmask = n.we = n.wb = n.wse = n.wg = n.wid = n.wtx = n.wsrc = n.wsse = n.wbno = n.wall = 0;
}
static void settled(State& t, int i) {  // what this writer has in sockets is taken for not stored
  const Node& n = t.n[i];
  for (auto& q : t.s)
    if (q.f.kind && (int)q.f.node == i && q.f.orphan &&
        (q.f.kind == OUT || q.f.kind == IN || q.f.kind == TXC) && (int)q.f.isin == (n.wk == IN))
      q.f.dead = 1;
}
static bool buildInsert(State& t, int i) {  // numbers and sends; false: no room for a statement
  Node& n = t.n[i];
  Stmt q;
  q.v = 0;
  int slot = n.wk == OUT ? 0 : R;
  q.f.node = i;
  q.f.slot = slot;
  q.f.se = n.wse;
  q.f.mask = n.wmask;
  q.f.isin = n.wk == IN;
  if (n.wk == OUT) {
    n.clk++;
    n.wid = n.clk * NN + i;
    q.f.id = n.wid;
    q.f.seq = outCount(t) + 1;
  } else
    q.f.seq = inboxCount(t) + 1;
  q.f.e = F.f1 ? n.e : n.we;
  q.f.b = F.f1 ? n.b : n.wb;
  if (n.wtx) {
    q.f.kind = TXB;
  } else
    q.f.kind = n.wk;
  n.w = W_WAIT;
  return put(t, q);
}
static void capture(Node& n, int slot) {
  n.we = n.e;
  n.wb = n.b;
  n.wse = n.se[slot];
  n.wg = n.g[slot];
}
static int presentRows(const State& t, const Node& n) {
  if (n.wk == OUT) {
    int m = n.wmask == 1 ? 0 : 1;
    return t.oid[m] ? n.wmask : 0;
  }
  int r = 0;
  for (int m = 0; m < 2; ++m)
    if ((n.wall >> m & 1) && inInbox(t, m)) r |= 1 << m;
  return r;
}
// After a settled or refused statement: go on under the present snapshot, or give the work back.
static void goOn(State& t, int i, const Ctx& c, const std::string& how) {
  Node& n = t.n[i];
  int slot = n.wk == OUT ? 0 : R;
  int have = presentRows(t, n);
  settled(t, i);
  int all = n.wk == OUT ? n.wmask : n.wall;
  if (have == all) {
    State u = t;
    writerDone(u, i, have);
    c.emit(u, how + S(": looks up, %s is there: answers stored", ms(have).c_str()), true);
    return;
  }
  bool ok = F.f1 ? (n.st[slot] == 2 || true) : (n.e == n.we && token(n, slot));
  if (F.f1 && n.e == 0) ok = false;
  {
    State u = t;
    writerDone(u, i, have);
    c.emit(u, how + S(": looks up, not there: gives the work back (a definite refusal)"), true);
  }
  if (ok && freeStmts(t) > 0) {
    State u = t;
    Node& v = u.n[i];
    v.wmask = all & ~have;
    u8 wse = v.wse;
    if (!F.f1)
      capture(v, slot);
    else
      v.wse = wse;
    buildInsert(u, i);
    c.emit(u,
           how + S(": looks up, not there; slot still held: sends it again under epoch %d barrier %d",
                   F.f1 ? v.e : v.we, F.f1 ? v.b : v.wb),
           true);
  }
}

static void expand(const State& s, const Ctx& c) {
  // 1. the server executes statements; orphans may also never be read
  for (int k = 0; k < KST; ++k) {
    const Stmt q = s.s[k];
    if (!q.f.kind) continue;
    if (k && s.s[k - 1].v == q.v) continue;
    if (q.f.phase == 0) {
      State t = s;
      Stmt& x = t.s[k];
      if (execute(t, x)) {
        std::string r = x.f.res == R_OK      ? "done"
                        : x.f.res == R_FENCE ? "refused by the fence"
                                             : "refused (duplicate / not free / not mine)";
        std::string what =
            S("server executes %s's %s%s%s: %s", nm(q.f.node).c_str(), q.f.orphan ? "old, given up " : "",
              kname[q.f.kind],
              (q.f.kind == OUT || q.f.kind == IN || q.f.kind == TXC)
                  ? S(" of %s (fence epoch %d barrier %d, slot epoch %d, seq %d, id %d)",
                      ms(q.f.mask).c_str(), (int)q.f.e, (int)q.f.b, (int)q.f.se, (int)q.f.seq, (int)q.f.id)
                        .c_str()
              : q.f.kind == UPKEEP
                  ? S(" (mark %d, add %s, remove %s)", (int)q.f.val, ms(q.f.add).c_str(), ms(q.f.rem).c_str())
                        .c_str()
              : q.f.kind == EVICT ? S(" of %s", nm(q.f.val).c_str()).c_str()
              : q.f.kind == REL || q.f.kind == CLAIM || q.f.kind == RECLAIM
                  ? S(" of %s", sl(q.f.slot).c_str()).c_str()
                  : "",
              r.c_str());
        if (q.f.orphan) {
          if (q.f.kind == TXB && x.f.res == R_OK)
            x.f.phase = 1;
          else
            x.v = 0;
        } else
          x.f.phase = 1;
        c.emit(t, what, !q.f.orphan);
      }
    }
    if (q.f.orphan && (q.f.kind == TXC || (q.f.kind == TXB && q.f.phase))) {
      State t = s;
      t.s[k].v = 0;
      c.emit(t, S("%s's old %s is never read (its connection ends)", nm(q.f.node).c_str(), kname[q.f.kind]),
             true);
    }
    // connection lost, or the client gives up waiting
    if (!q.f.orphan && s.bloss) {
      State t = s;
      t.bloss--;
      Node& n = t.n[q.f.node];
      if (isKeeper(q.f.kind)) {
        n.k = 2;
        if (q.f.kind == UPKEEP)
          for (int m = 0; m < 2; ++m)
            if ((q.f.add >> m & 1) && n.pd[m] == 1) n.pd[m] = 0;
        if (q.f.kind == START) n.k = 0;
      } else
        n.w = W_DOUBT;
      if (q.f.phase == 0 || (q.f.kind == TXB && q.f.res == R_OK))
        t.s[k].f.orphan = 1;
      else
        t.s[k].v = 0;
      c.emit(t,
             S("%s loses the connection of its %s (%s)", nm(q.f.node).c_str(), kname[q.f.kind],
               q.f.phase ? "executed, answer lost" : "not executed yet"),
             false);
    }
    // answer arrives
    if (!q.f.orphan && q.f.phase == 1) {
      State t = s;
      const int i = q.f.node;
      Node& n = t.n[i];
      t.s[k].v = 0;
      std::string w = S("%s hears of its %s: ", nm(i).c_str(), kname[q.f.kind]);
      switch (q.f.kind) {
        case OUT:
        case IN:
        case TXC:
          if (q.f.res == R_OK) {
            int st = n.wk == OUT ? n.wmask : n.wall;
            writerDone(t, i, st);
            c.emit(t, w + "stored" + (q.f.kind != IN && !q.f.isin ? ", the sender gets OK" : ""), true);
          } else {
            n.w = q.f.res == R_DUP ? W_DUP : W_REFUSED;
            c.emit(t, w + (q.f.res == R_DUP ? "duplicate" : "refused by the fence"), true);
          }
          break;
        case TXB: {
          if (q.f.res != R_OK) {
            n.w = W_REFUSED;
            c.emit(t, w + "refused by the fence", true);
            break;
          }
          int slot = n.wk == OUT ? 0 : R;
          if (F.txsnap && !(n.e == n.we && token(n, slot))) {  // gives back: ROLLBACK
            settled(t, i);
            writerDone(t, i, 0);
            c.emit(t,
                   w + "lock is there, but the slot has left the snapshot: rolls back, gives the work back",
                   true);
          } else {
            Stmt x = q;
            x.f.kind = TXC;
            x.f.phase = 0;
            x.f.res = 0;
            put(t, x);
            c.emit(t, w + "lock is there, slot is in the snapshot: sends row + COMMIT", true);
          }
          break;
        }
        case BAR:
          if (q.f.res == R_OK) {
            n.w = W_LOOK;
            if (n.e == q.f.e) {
              if (!F.adopt) n.b = std::max<int>(n.b, q.f.val);
            }
            c.emit(t, w + S("barrier is %d", (int)q.f.val), true);
          } else {
            n.w = W_FENCED;
            c.emit(t, w + "epoch has changed", true);
          }
          break;
        case REL:
          n.k = 0;
          if (q.f.res == R_OK) {
            if (n.e == q.f.e) {
              if (!F.adopt || n.b + 1 == q.f.val)
                n.b = std::max<int>(n.b, q.f.val);
              else
                n.k = 2;
            }
            if (F.stale) {
              if (n.st[q.f.slot]) unload(n, q.f.slot);
            }
            c.emit(t, w + "done", true);
          } else {
            n.k = 2;
            c.emit(t, w + "nothing changed, reads again", true);
          }
          break;
        case EVICT:
          n.k = 0;
          c.emit(t, w + (q.f.res == R_OK ? "done" : "nothing changed"), true);
          break;
        case CLAIM:
          n.k = 0;
          if (q.f.res == R_OK) {
            if (F.redoearly && n.st[q.f.slot] == 1) {
              n.st[q.f.slot] = 2;
              n.se[q.f.slot] = q.f.val;
            } else {
              unload(n, q.f.slot);
              n.st[q.f.slot] = 1;
              n.se[q.f.slot] = q.f.val;
            }
          } else {
            if (F.redoearly) unload(n, q.f.slot);
            if (q.f.res == R_FENCE) n.k = 2;
          }
          c.emit(t,
                 w + (q.f.res == R_OK ? S("owns %s, slot epoch %d", sl(q.f.slot).c_str(), (int)q.f.val)
                                      : "not got"),
                 true);
          break;
        case RECLAIM:
          n.k = 0;
          if (q.f.res == R_OK) {
            unload(n, q.f.slot);
            n.st[q.f.slot] = 1;
            n.se[q.f.slot] = q.f.val;
            n.k = n.b + 1 == q.f.b ? 0 : 2;
            if (!n.k) n.b = q.f.b;
          } else
            n.k = 2;
          c.emit(t, w + (q.f.res == R_OK ? "owns it" : "not mine"), true);
          break;
        case START:
          dropAll(n);
          n.e = q.f.val;
          n.b = q.f.b;
          if (n.e == t.nep[i])
            for (int x = 0; x < SS; ++x)
              if (t.own[x] == i) {
                n.st[x] = 1;
                n.se[x] = t.sep[x];
              }
          if (n.e == t.nep[i]) n.b = t.nba[i];
          c.emit(t, w + S("epoch %d", n.e), true);
          break;
        case UPKEEP:
          n.k = 0;
          if (q.f.res == R_OK) {
            if (n.st[0] && n.se[0] == q.f.se)
              for (int m = 0; m < 2; ++m) {
                if ((q.f.add >> m & 1) && n.pd[m] == 1) n.pd[m] = 2;
                if ((q.f.rem >> m & 1) && n.pd[m] == 2) n.pd[m] = 0;
              }
          } else {
            dropAll(n);
          }
          c.emit(t, w + (q.f.res == R_OK ? "done" : "fenced: drops everything"), true);
          break;
      }
    }
  }
  // 2. lane packets
  for (int k = 0; k < KPK; ++k) {
    const Pkt p = s.p[k];
    if (!p.used) continue;
    if (p.phase == 0) {
      if (!s.n[p.dst].up) {
        State t = s;
        t.p[k] = {};
        c.emit(t, S("the lane batch is lost with %s", nm(p.dst).c_str()), true);
        continue;
      }
      if (s.n[p.dst].w == W_IDLE) {
        State t = s;
        Node& n = t.n[p.dst];
        if (n.st[R] != 2) {
          t.p[k].phase = 1;
          t.p[k].res = 0;
          c.emit(t, S("%s is not owner of y: gives the lane batch back", nm(p.dst).c_str()), true);
        } else if (freeStmts(t) > 0) {
          t.p[k] = {};
          n.wk = IN;
          n.wmask = n.wall = p.mask;
          n.wsrc = p.src;
          n.wsse = p.sse;
          n.wbno = p.bno;
          capture(n, R);
          buildInsert(t, p.dst);
          c.emit(t,
                 S("%s takes the lane batch [%s] of %s (batch %d) and sends INSERT inbox", nm(p.dst).c_str(),
                   ms(p.mask).c_str(), nm(p.src).c_str(), p.bno),
                 true);
        }
      }
    } else {
      State t = s;
      t.p[k] = {};
      laneResult(t, p.src, p.sse, p.bno, p.mask, p.res);
      c.emit(t,
             S("%s gets the result of batch %d [%s], stored: %s", nm(p.src).c_str(), p.bno,
               ms(p.mask).c_str(), ms(p.res).c_str()),
             true);
    }
    const Node& src = s.n[p.src];
    bool stale = !src.up || src.se[0] != p.sse || src.bno != p.bno || !(src.lane[0] == 2 || src.lane[1] == 2);
    if (stale && p.phase == 0) {
      State t = s;
      t.p[k] = {};
      c.emit(t, S("the old lane batch %d is lost for good", p.bno), false);
    }
  }
  // 3. nodes
  for (int i = 0; i < NN; ++i) {
    const Node& n = s.n[i];
    if (!n.up) {
      bool other = false;
      for (int j = 0; j < NN; ++j) other |= s.n[j].up != 0;
      State t = s;
      memset(&t.n[i], 0, sizeof(Node));
      t.n[i].up = 1;
      c.emit(t, S("%s is started again (memory lost, clock back)", nm(i).c_str()), !other);
      continue;
    }
    if (s.bcrash) {
      State t = s;
      t.bcrash--;
      for (auto& q : t.s)
        if (q.f.kind && (int)q.f.node == i && !q.f.orphan) {
          if (q.f.phase == 0 || (q.f.kind == TXB && q.f.res == R_OK))
            q.f.orphan = 1;
          else
            q.v = 0;
        }
      memset(&t.n[i], 0, sizeof(Node));
      c.emit(t, S("%s crashes", nm(i).c_str()), false);
    }
    const int room = freeStmts(s);
    // writer: new sends
    if (n.w == W_IDLE && n.st[0] == 2 && room)
      for (int m = 0; m < F.msgs; ++m) {
        if (s.acked >> m & 1) continue;
        if (m == 1 && !(s.acked & 1)) continue;
        bool other = false;
        for (int j = 0; j < NN; ++j)
          if (j != i && s.n[j].w != W_IDLE && s.n[j].wk == OUT && s.n[j].wmask == (1 << m)) other = true;
        if (other && !s.bresend) continue;
        for (int tx = 0; tx <= (s.btx ? 1 : 0); ++tx) {
          State t = s;
          Node& v = t.n[i];
          if (other) t.bresend--;
          if (tx) t.btx--;
          v.wk = OUT;
          v.wmask = 1 << m;
          v.wtx = tx;
          capture(v, 0);
          buildInsert(t, i);
          c.emit(t,
                 S("sender %s m%d to %s, which takes it under epoch %d barrier %d slot epoch %d and sends %s "
                   "(id %d)",
                   other ? "sends again" : "sends", m + 1, nm(i).c_str(), v.we, v.wb, v.wse,
                   tx ? "BEGIN + S lock" : "INSERT outbox", v.wid),
                 !other && !tx);
        }
      }
    // writer: local lane
    if (n.st[0] == 2) {
      int queued = 0;
      bool flight = false;
      for (int m = 0; m < 2; ++m) {
        if (n.lane[m] == 1) queued |= 1 << m;
        if (n.lane[m] == 2) flight = true;
      }
      if (queued && (!flight || F.twoflight)) {
        if (n.st[R] == 2) {
          if (n.w == W_IDLE && room) {
            State t = s;
            Node& v = t.n[i];
            v.bno = (v.bno + 1) & 7;
            for (int m = 0; m < 2; ++m)
              if (queued >> m & 1) v.lane[m] = 2;
            v.wk = IN;
            v.wmask = v.wall = queued;
            v.wsrc = i;
            v.wsse = v.se[0];
            v.wbno = v.bno;
            capture(v, R);
            buildInsert(t, i);
            c.emit(t,
                   S("%s sends INSERT inbox of [%s] (epoch %d barrier %d slot epoch %d)", nm(i).c_str(),
                     ms(queued).c_str(), v.we, v.wb, v.wse),
                   true);
          }
        } else
          for (int d = 0; d < NN; ++d)
            if (d != i && s.n[d].up && s.n[d].st[R] == 2) {
              State t = s;
              Node& v = t.n[i];
              bool fit = false;
              v.bno = (v.bno + 1) & 7;
              for (auto& p : t.p)
                if (!p.used) {
                  p = {1, (u8)i, (u8)d, v.se[0], v.bno, (u8)queued, 0, 0};
                  fit = true;
                  break;
                }
              if (!fit) continue;
              for (int m = 0; m < 2; ++m)
                if (queued >> m & 1) v.lane[m] = 2;
              c.emit(t,
                     S("%s sends lane batch %d [%s] to %s", nm(i).c_str(), v.bno, ms(queued).c_str(),
                       nm(d).c_str()),
                     true);
            }
      }
      if (flight) {
        bool there = n.w != W_IDLE && n.wk == IN && n.wsrc == i && n.wbno == n.bno;
        for (auto& p : s.p)
          if (p.used && p.src == i && p.bno == n.bno) there = true;
        bool atd = false;
        for (int d = 0; d < NN; ++d)
          if (d != i && s.n[d].up && s.n[d].w != W_IDLE && s.n[d].wk == IN && s.n[d].wsrc == i &&
              s.n[d].wbno == n.bno)
            atd = true;
        bool local = n.w != W_IDLE && n.wk == IN && n.wsrc == i && n.wbno == n.bno;
        bool gone = !there && !atd;
        if (!local && (gone || s.blane)) {
          State t = s;
          Node& v = t.n[i];
          if (!gone) t.blane--;
          for (int m = 0; m < 2; ++m)
            if (v.lane[m] == 2) v.lane[m] = 1;
          c.emit(t,
                 S("%s takes its lane batch %d for lost (link broke%s)", nm(i).c_str(), v.bno,
                   gone ? ", it is" : ", but it may arrive yet"),
                 gone);
        }
      }
      // moved to im_pending in memory
      for (int m = 0; m < 2; ++m)
        if (s.bpend && (n.lane[m] == 1 || n.lane[m] == 2) && !n.pd[m]) {
          State t = s;
          t.bpend--;
          t.n[i].pd[m] = 1;
          c.emit(t, S("%s moves m%d to im_pending (in memory; upkeep to come)", nm(i).c_str(), m + 1), false);
        }
    }
    // writer: settle
    if (n.w == W_DOUBT) {
      if (F.settle0) {
        State t = s;
        t.n[i].w = W_LOOK;
        c.emit(t, S("%s settles without a barrier", nm(i).c_str()), true);
      } else if (room) {
        State t = s;
        Stmt q;
        q.v = 0;
        q.f.kind = BAR;
        q.f.node = i;
        q.f.e = F.f1 ? n.e : n.we;
        t.n[i].w = W_BAR;
        put(t, q);
        c.emit(t, S("%s is in doubt: sends barrier under epoch %d", nm(i).c_str(), (int)q.f.e), true);
      }
    }
    if (n.w == W_LOOK) {
      State t = s;
      if (F.adopt) recon(t, i, false);
      goOn(t, i, c, S("%s settles", nm(i).c_str()));
    }
    if (n.w == W_FENCED) {
      State t = s;
      int have = presentRows(t, n);
      settled(t, i);
      if (n.e == n.we)
        for (int x = 0; x < SS; ++x)
          unload(t.n[i], x);  // fence_lost: stops serving until its keeper has started again
      writerDone(t, i, have);
      c.emit(t,
             S("%s is fenced: looks up, %s: %s", nm(i).c_str(), have ? "there" : "not there",
               have ? "answers stored" : "refuses"),
             true);
    }
    if (n.w == W_REFUSED) {
      State t = s;
      int e = F.f1 ? n.e : n.we;
      if (t.nep[i] != e && !(F.f1 && n.e == t.nep[i])) {
        t.n[i].w = W_FENCED;
        c.emit(t, S("%s reads its row: the epoch has changed", nm(i).c_str()), true);
      } else {
        if (F.adopt)
          recon(t, i, false);
        else
          t.n[i].b = t.nba[i];
        goOn(t, i, c,
             S("%s, refused by the fence, reads barrier %d%s", nm(i).c_str(), t.n[i].b,
               F.adopt ? " and its slots" : ""));
      }
    }
    if (n.w == W_DUP) {
      State t = s;
      goOn(t, i, c, S("%s, after a duplicate", nm(i).c_str()));
    }
    // keeper
    for (int x = 0; x < SS; ++x)
      if (n.st[x] == 1 && !(F.redoearly && n.k == 1)) {
        State t = s;
        Node& v = t.n[i];
        v.st[x] = 2;
        v.g[x] = F.gen ? (v.g[x] + 1) & 7 : 0;
        if (x == 0) {
          int big = t.mark;
          for (int m = 0; m < 2; ++m) {
            if (t.oid[m] && (t.oid[m] > t.mark || (t.pend >> m & 1))) v.lane[m] = 1;
            if (t.pend >> m & 1) v.pd[m] = 2;
            big = std::max(big, (int)t.oid[m]);
          }
          if (!F.noids) v.clk = std::max<int>(v.clk, (big + NN - 1) / NN);
        }
        c.emit(t,
               S("%s loads %s (mark %d%s), redo: %s%s; serves", nm(i).c_str(), sl(x).c_str(), t.mark,
                 t.pend ? " and im_pending" : "", v.lane[0] == 1 && x == 0 ? "m1 " : "",
                 v.lane[1] == 1 && x == 0 ? "m2" : ""),
               true);
      }
    if (n.k == 1) continue;
    if (n.e == 0) {
      if (n.k == 0 && room) {
        bool has = false;
        for (auto& q : s.s) has |= q.f.kind == START && (int)q.f.node == i && !q.f.orphan;
        if (!has) {
          State t = s;
          Stmt q;
          q.v = 0;
          q.f.kind = START;
          q.f.node = i;
          t.n[i].k = 1;
          put(t, q);
          c.emit(t, S("%s sends start", nm(i).c_str()), true);
        }
      }
      continue;
    }
    if (n.k == 2 || reconWouldChange(s, i)) {
      State t = s;
      t.n[i].k = 0;
      recon(t, i, true);
      c.emit(t,
             S("%s's beat reads its row and slots%s", nm(i).c_str(),
               n.e != s.nep[i] ? ": epoch has changed, drops everything" : ""),
             true);
      if (n.k == 2) continue;
    }
    if (!room) continue;
    auto send = [&](State& t, Stmt q, const std::string& what, bool normal) {
      q.f.node = i;
      q.f.e = n.e;
      t.n[i].k = 1;
      put(t, q);
      c.emit(t, what, normal);
    };
    for (int x = 0; x < SS; ++x) {
      Stmt q;
      q.v = 0;
      q.f.slot = x;
      if ((s.own[x] == NONE || (F.redoearly && s.own[x] != i && s.bev)) && !n.st[x]) {
        State t = s;
        q.f.kind = CLAIM;
        if (s.own[x] != NONE) t.bev--;
        if (F.redoearly) {
          Node& v = t.n[i];
          v.st[x] = 1;
          if (x == 0)
            for (int m = 0; m < 2; ++m) {
              if (t.oid[m] && (t.oid[m] > t.mark || (t.pend >> m & 1))) v.lane[m] = 1;
            }
          v.g[x]++;
          int big = t.mark;
          for (int m = 0; m < 2; ++m) big = std::max(big, (int)t.oid[m]);
          v.clk = std::max<int>(v.clk, (big + NN - 1) / NN);
        }
        send(t, q,
             S("%s %ssends claim of %s", nm(i).c_str(), F.redoearly ? "reads redo and then " : "",
               sl(x).c_str()),
             s.own[x] == NONE);
      }
      if (F.claimsteal && s.own[x] != i && s.own[x] != NONE && !n.st[x] && s.bev) {
        State t = s;
        t.bev--;
        q.f.kind = CLAIM;
        send(t, q, S("%s sends claim of %s, thinking its owner dead", nm(i).c_str(), sl(x).c_str()), false);
      }
      if (s.own[x] == i && !n.st[x] && F.rebump && !F.norecon) {
        State t = s;
        q.f.kind = F.rebump == 2 ? REL : RECLAIM;
        q.f.b = n.b;
        send(t, q,
             S("%s finds that it owns %s: sends %s", nm(i).c_str(), sl(x).c_str(),
               F.rebump == 2 ? "release (again)" : "reclaim"),
             true);
      }
      if (s.brel && n.st[x] == 2) {
        State t = s;
        t.brel--;
        q.f.kind = REL;
        q.f.b = n.b;
        if (F.f3 && x == 0) q.f.id = computeMark(s, i);
        if (!F.stale) unload(t.n[i], x);
        send(t, q,
             S("%s unloads %s and sends release%s", nm(i).c_str(), sl(x).c_str(),
               F.f3 ? S(" with mark %d", (int)q.f.id).c_str() : ""),
             false);
      }
    }
    for (int v = 0; v < NN; ++v)
      if (v != i) {
        bool owns = false;
        for (int x = 0; x < SS; ++x) owns |= s.own[x] == v;
        if (!owns) continue;
        bool wrong = s.n[v].up;
        if (wrong && !s.bev) continue;
        State t = s;
        if (wrong) t.bev--;
        Stmt q;
        q.v = 0;
        q.f.kind = EVICT;
        q.f.val = v;
        q.f.id = s.nep[v];
        send(t, q,
             S("%s sends evict of %s (%s)", nm(i).c_str(), nm(v).c_str(),
               wrong ? "wrongly thought dead" : "which is down"),
             !wrong);
      }
    if (n.st[0] == 2) {
      int mk = computeMark(s, i), add = 0, rem = 0;
      for (int m = 0; m < 2; ++m) {
        if (n.pd[m] == 1) add |= 1 << m;
        if (n.pd[m] == 2 && n.lane[m] == 3) rem |= 1 << m;
      }
      bool mine = s.own[0] == i && s.sep[0] == n.se[0];
      if (F.pendlate && mk > s.mark) add = 0;
      if ((mk > s.mark && (mine || F.markguard0)) || add || rem) {
        State t = s;
        Stmt q;
        q.v = 0;
        q.f.kind = UPKEEP;
        q.f.se = n.se[0];
        q.f.val = std::max(mk, 0);
        q.f.add = add;
        q.f.rem = rem;
        send(t, q,
             S("%s sends upkeep (mark %d, add %s, remove %s)", nm(i).c_str(), mk, ms(add).c_str(),
               ms(rem).c_str()),
             true);
      }
    }
  }
}
static std::string quiescent(const State& s) {
  std::string v;
  for (int x = 0; x < SS; ++x) {
    int o = s.own[x];
    if (o == NONE) {
      v = "P7: slot " + sl(x) + " has no owner and nobody claims it";
      continue;
    }
    const Node& n = s.n[o];
    if (!n.up || n.e != s.nep[o] || n.st[x] != 2 || n.se[x] != s.sep[x])
      v = "P7: slot " + sl(x) + " belongs to " + std::string(1, NAME[o]) + ", which does not serve it";
  }
  for (int m = 0; m < F.msgs; ++m) {
    if (s.acked >> m & 1 && !inInbox(s, m))
      return "P1: acknowledged m" + std::to_string(m + 1) + " is never delivered";
    if (s.oid[m] && !inInbox(s, m) && v.empty())
      v = "P7: stored m" + std::to_string(m + 1) + " is never delivered";
    if (!(s.acked >> m & 1) && v.empty())
      v = "P7: m" + std::to_string(m + 1) + " is never acknowledged though the client keeps sending";
  }
  return v;
}
static State initial() {
  State s;
  memset(&s, 0, sizeof s);
  for (int i = 0; i < NN; ++i) {
    s.nep[i] = 1;
    s.n[i].up = 1;
    s.n[i].e = 1;
  }
  s.n[0].clk = F.skew;
  for (int x = 0; x < SS; ++x) {
    s.own[x] = 0;
    s.sep[x] = 1;
    s.n[0].st[x] = 2;
    s.n[0].se[x] = 1;
  }
  if (SS == 2 && !F.both) {
    s.own[1] = 1;
    s.n[0].st[1] = 0;
    s.n[0].se[1] = 0;
    s.n[1].st[1] = 2;
    s.n[1].se[1] = 1;
  }
  s.brel = F.rel;
  s.bev = F.ev;
  s.bcrash = F.crash;
  s.bloss = F.loss;
  s.bresend = F.resend;
  s.blane = F.lane;
  s.bpend = F.pend;
  s.btx = F.tx;
  canon(s);
  return s;
}
// ---- search ------------------------------------------------------------------------------------------------------------
struct Table {
  std::vector<u64> t;
  u64 mask;
  size_t n = 0;
  Table() : t(1u << 22), mask((1u << 22) - 1) {}
  bool add(u64 h) {
    if (n * 10 > t.size() * 7) {
      std::vector<u64> o(t.size() * 2);
      o.swap(t);
      mask = t.size() - 1;
      for (u64 x : o)
        if (x) {
          u64 i = x & mask;
          while (t[i]) i = (i + 1) & mask;
          t[i] = x;
        }
    }
    u64 i = h & mask;
    while (t[i]) {
      if (t[i] == h) return false;
      i = (i + 1) & mask;
    }
    t[i] = h;
    ++n;
    return true;
  }
};
int main(int argc, char** argv) {
  std::string label;
  for (int a = 1; a < argc; ++a) {
    std::string x = argv[a];
    auto e = x.find('=');
    std::string k = x.substr(0, e), v = e == std::string::npos ? "1" : x.substr(e + 1);
    if (k == "max") {
      F.max = atol(v.c_str());
      continue;
    }
    auto it = kFlags.find(k);
    if (it == kFlags.end()) {
      fprintf(stderr, "unknown flag %s\n", k.c_str());
      return 2;
    }
    F.*(it->second) = atoi(v.c_str());
    label += x + " ";
  }
  auto begin = std::chrono::steady_clock::now();
  Table seen;
  std::vector<u32> parent;
  std::vector<u64> fps;
  std::unordered_map<u64, u32> ix;
  std::vector<std::pair<u32, u32>> edges;
  std::vector<u32> good;
  std::vector<State> cur, next;
  std::vector<u32> curIx, nextIx;
  State s0 = initial();
  seen.add(fp(s0));
  parent.push_back(0);
  fps.push_back(fp(s0));
  cur.push_back(s0);
  curIx.push_back(0);
  size_t depth = 0, quiet = 0, trans = 0;
  bool bounded = false;
  std::string found;
  u32 badParent = 0;
  u64 badFp = 0;
  bool bad = false, badQuiet = false;
  tracing = false;
  while (!cur.empty() && !bad) {
    for (size_t z = 0; z < cur.size() && !bad; ++z) {
      bool normal = false;
      u32 me = curIx[z];
      Ctx c{[&](State& t, const std::string&, bool ok) {
        ++trans;
        canon(t);
        u64 h = fp(t);
        normal |= ok;
        const bool fresh = seen.add(h);
        if (F.ef && fresh) ix[h] = parent.size();
        if (F.ef && ok)
          edges.push_back({F.ef && !fresh ? (h == fps[0] ? 0u : ix[h]) : (u32)parent.size(), me});
        if (fresh) {
          parent.push_back(me);
          fps.push_back(h);
          next.push_back(t);
          nextIx.push_back(parent.size() - 1);
        }
      }};
      // property violations are raised inside transitions: detect by flag
      viol.clear();
      tracing = false;
      auto inner = c.emit;
      c.emit = [&](State& t, const std::string& d, bool ok) {
        inner(t, d, ok);
        if (violFlag && !bad) {
          bad = true;
          badParent = me;
          State u = t;
          canon(u);
          badFp = fp(u);
        }
        violFlag = false;
      };
      expand(cur[z], c);
      if (!normal && !bad) {
        ++quiet;
        if (F.ef) good.push_back(me);
        std::string q = quiescent(cur[z]);
        if (!q.empty()) {
          bad = badQuiet = true;
          badParent = me;
          found = q;
        }
      }
    }
    if (!bad) {
      cur.swap(next);
      curIx.swap(nextIx);
      next.clear();
      nextIx.clear();
      if (!cur.empty()) ++depth;
    }
    if ((long)parent.size() > F.max) {
      bounded = true;
      break;
    }
  }
  double sec = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  printf("[N=%d S=%d %s] states %zu, transitions %zu, depth %zu, quiescent %zu, %.1f s: %s\n", NN, SS,
         label.c_str(), parent.size(), trans, depth, quiet, sec,
         bad       ? "VIOLATION"
         : bounded ? "no violation up to the bound"
                   : "no violation (exhausted)");
  if (F.ef && !bad && !bounded) {
    std::sort(edges.begin(), edges.end());
    std::vector<char> ok(parent.size());
    std::vector<u32> todo = good;
    for (u32 g : good) ok[g] = 1;
    while (!todo.empty()) {
      u32 g = todo.back();
      todo.pop_back();
      for (auto it = std::lower_bound(edges.begin(), edges.end(), std::pair<u32, u32>{g, 0});
           it != edges.end() && it->first == g; ++it)
        if (!ok[it->second]) {
          ok[it->second] = 1;
          todo.push_back(it->second);
        }
    }
    size_t stuck = 0;
    u32 first = 0;
    for (size_t i = 0; i < ok.size(); ++i)
      if (!ok[i]) {
        if (!stuck++) first = i;
      }
    printf("  livelock check: %zu of %zu states cannot reach a quiescent state by normal steps\n", stuck,
           ok.size());
    if (stuck) {
      bad = badQuiet = true;
      badParent = first;
      found = "P7: no way to a quiescent state by normal steps";
    }
  }
  if (bad) {
    std::vector<u64> path;
    if (!badQuiet) path.push_back(badFp);
    for (u32 i = badParent; i != 0; i = parent[i]) path.push_back(fps[i]);
    std::reverse(path.begin(), path.end());
    tracing = true;
    State s = initial();
    int step = 0;
    for (u64 want : path) {
      State got;
      std::string text;
      bool hit = false;
      Ctx c{[&](State& t, const std::string& d, bool) {
        State u = t;
        canon(u);
        if (!hit && fp(u) == want && (want != badFp || violFlag || badQuiet)) {
          hit = true;
          got = t;
          text = d;
          if (violFlag) found = viol.text;
        }
        violFlag = false;
        viol.clear();
      }};
      expand(s, c);
      if (!hit) {
        canon(s);
        expand(s, c);
      }
      if (!hit) {
        printf("  (trace lost)\n");
        break;
      }
      printf("  %2d. %s\n", ++step, text.c_str());
      s = got;
    }
    printf("  => %s\n", found.c_str());
  }
  return bad ? 1 : 0;
}
bool violFlag = false;
