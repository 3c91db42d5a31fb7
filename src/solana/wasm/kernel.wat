;; SHA-256, the test for points of the Ed25519 curve, and the search for program-derived addresses that joins them.
;;
;; Memory, one page:
;;   0     SHA-256 round constants        256 bytes
;;   256   p - 1 of the field, 1, d        32 bytes each, little-endian
;;   512   message schedule               256 bytes
;;   768   hash state, saved hash state    32 bytes each
;;   832   digest, as bytes                32 bytes
;;   896   field elements y, u, v          32 bytes each
;;   992   product                         64 bytes
;;   1088  input, up to the end of the page
(module
  (memory (export "memory") 1)

  (data (i32.const 0)
    "\98\2f\8a\42\91\44\37\71\cf\fb\c0\b5\a5\db\b5\e9\5b\c2\56\39\f1\11\f1\59\a4\82\3f\92\d5\5e\1c\ab"
    "\98\aa\07\d8\01\5b\83\12\be\85\31\24\c3\7d\0c\55\74\5d\be\72\fe\b1\de\80\a7\06\dc\9b\74\f1\9b\c1"
    "\c1\69\9b\e4\86\47\be\ef\c6\9d\c1\0f\cc\a1\0c\24\6f\2c\e9\2d\aa\84\74\4a\dc\a9\b0\5c\da\88\f9\76"
    "\52\51\3e\98\6d\c6\31\a8\c8\27\03\b0\c7\7f\59\bf\f3\0b\e0\c6\47\91\a7\d5\51\63\ca\06\67\29\29\14"
    "\85\0a\b7\27\38\21\1b\2e\fc\6d\2c\4d\13\0d\38\53\54\73\0a\65\bb\0a\6a\76\2e\c9\c2\81\85\2c\72\92"
    "\a1\e8\bf\a2\4b\66\1a\a8\70\8b\4b\c2\a3\51\6c\c7\19\e8\92\d1\24\06\99\d6\85\35\0e\f4\70\a0\6a\10"
    "\16\c1\a4\19\08\6c\37\1e\4c\77\48\27\b5\bc\b0\34\b3\0c\1c\39\4a\aa\d8\4e\4f\ca\9c\5b\f3\6f\2e\68"
    "\ee\82\8f\74\6f\63\a5\78\14\78\c8\84\08\02\c7\8c\fa\ff\be\90\eb\6c\50\a4\f7\a3\f9\be\f2\78\71\c6")
  (data (i32.const 256)
    "\ec\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\7f"
    "\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
    "\a3\78\59\13\ca\4d\eb\75\ab\d8\41\41\4d\0a\70\00\98\e8\79\77\79\40\c7\8c\73\fe\6f\2b\ee\6c\03\52")

  (global $state i32 (i32.const 768))
  (global $saved i32 (i32.const 800))
  (global $digest (export "digest") i32 (i32.const 832))
  (global $y i32 (i32.const 896))
  (global $u i32 (i32.const 928))
  (global $v i32 (i32.const 960))
  (global $product i32 (i32.const 992))
  (global $input (export "input") i32 (i32.const 1088))

  ;; ---- SHA-256 ----

  ;; The word with its bytes in the other order: SHA-256 is big-endian, memory is not.
  (func $swap (param $word i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $word) (i32.const 8)) (i32.const 0x00ff00ff))
      (i32.and (i32.rotr (local.get $word) (i32.const 8)) (i32.const 0xff00ff00))))

  ;; Initial state.
  (func $begin (export "begin")
    (i64.store offset=768 (i32.const 0) (i64.const 0xbb67ae856a09e667))
    (i64.store offset=776 (i32.const 0) (i64.const 0xa54ff53a3c6ef372))
    (i64.store offset=784 (i32.const 0) (i64.const 0x9b05688c510e527f))
    (i64.store offset=792 (i32.const 0) (i64.const 0x5be0cd191f83d9ab)))

  ;; Takes the block of 64 bytes at $block into the state.
  (func $compress (param $block i32)
    (local $i i32) (local $x i32) (local $z i32) (local $t i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32)
    (local $e i32) (local $f i32) (local $g i32) (local $h i32)
    (loop $words
      (i32.store offset=512 (local.get $i)
        (call $swap (i32.load (i32.add (local.get $block) (local.get $i)))))
      (br_if $words (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 64))))
    (loop $expand
      ;; The offsets are those of the words 15, 2, 16 and 7 back: 512 less four for each.
      (local.set $x (i32.load offset=452 (local.get $i)))
      (local.set $z (i32.load offset=504 (local.get $i)))
      (i32.store offset=512 (local.get $i)
        (i32.add
          (i32.add
            (i32.load offset=448 (local.get $i))
            (i32.load offset=484 (local.get $i)))
          (i32.add
            (i32.xor
              (i32.xor (i32.rotr (local.get $x) (i32.const 7)) (i32.rotr (local.get $x) (i32.const 18)))
              (i32.shr_u (local.get $x) (i32.const 3)))
            (i32.xor
              (i32.xor (i32.rotr (local.get $z) (i32.const 17)) (i32.rotr (local.get $z) (i32.const 19)))
              (i32.shr_u (local.get $z) (i32.const 10))))))
      (br_if $expand (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 256))))
    (local.set $a (i32.load offset=768 (i32.const 0)))
    (local.set $b (i32.load offset=772 (i32.const 0)))
    (local.set $c (i32.load offset=776 (i32.const 0)))
    (local.set $d (i32.load offset=780 (i32.const 0)))
    (local.set $e (i32.load offset=784 (i32.const 0)))
    (local.set $f (i32.load offset=788 (i32.const 0)))
    (local.set $g (i32.load offset=792 (i32.const 0)))
    (local.set $h (i32.load offset=796 (i32.const 0)))
    (local.set $i (i32.const 0))
    (loop $rounds
      (local.set $t
        (i32.add
          (i32.add
            (i32.add (local.get $h) (i32.load (local.get $i)))
            (i32.load offset=512 (local.get $i)))
          (i32.add
            (i32.xor
              (i32.xor (i32.rotr (local.get $e) (i32.const 6)) (i32.rotr (local.get $e) (i32.const 11)))
              (i32.rotr (local.get $e) (i32.const 25)))
            (i32.xor (local.get $g) (i32.and (local.get $e) (i32.xor (local.get $f) (local.get $g)))))))
      (local.set $h (local.get $g))
      (local.set $g (local.get $f))
      (local.set $f (local.get $e))
      (local.set $e (i32.add (local.get $d) (local.get $t)))
      (local.set $x
        (i32.add
          (i32.xor
            (i32.xor (i32.rotr (local.get $a) (i32.const 2)) (i32.rotr (local.get $a) (i32.const 13)))
            (i32.rotr (local.get $a) (i32.const 22)))
          (i32.or
            (i32.and (local.get $a) (local.get $b))
            (i32.and (local.get $c) (i32.or (local.get $a) (local.get $b))))))
      (local.set $d (local.get $c))
      (local.set $c (local.get $b))
      (local.set $b (local.get $a))
      (local.set $a (i32.add (local.get $t) (local.get $x)))
      (br_if $rounds (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 256))))
    (i32.store offset=768 (i32.const 0) (i32.add (local.get $a) (i32.load offset=768 (i32.const 0))))
    (i32.store offset=772 (i32.const 0) (i32.add (local.get $b) (i32.load offset=772 (i32.const 0))))
    (i32.store offset=776 (i32.const 0) (i32.add (local.get $c) (i32.load offset=776 (i32.const 0))))
    (i32.store offset=780 (i32.const 0) (i32.add (local.get $d) (i32.load offset=780 (i32.const 0))))
    (i32.store offset=784 (i32.const 0) (i32.add (local.get $e) (i32.load offset=784 (i32.const 0))))
    (i32.store offset=788 (i32.const 0) (i32.add (local.get $f) (i32.load offset=788 (i32.const 0))))
    (i32.store offset=792 (i32.const 0) (i32.add (local.get $g) (i32.load offset=792 (i32.const 0))))
    (i32.store offset=796 (i32.const 0) (i32.add (local.get $h) (i32.load offset=796 (i32.const 0)))))

  ;; Takes the blocks from $from to before $to into the state.
  (func $blocks (param $from i32) (param $to i32)
    (loop $next
      (if (i32.lt_u (local.get $from) (local.get $to))
        (then
          (call $compress (local.get $from))
          (local.set $from (i32.add (local.get $from) (i32.const 64)))
          (br $next)))))

  ;; Takes whole blocks of the input, $size bytes, into the state.
  (func (export "absorb") (param $size i32)
    (call $blocks (global.get $input) (i32.add (global.get $input) (local.get $size))))

  ;; Pads $size bytes of input, the end of $total bytes, and returns the address behind the padding.
  (func $pad (param $size i32) (param $total i32) (result i32)
    (local $end i32) (local $at i32)
    (local.set $at (i32.add (global.get $input) (local.get $size)))
    (local.set $end
      (i32.add (global.get $input) (i32.and (i32.add (local.get $size) (i32.const 72)) (i32.const -64))))
    (memory.fill (local.get $at) (i32.const 0) (i32.sub (local.get $end) (local.get $at)))
    (i32.store8 (local.get $at) (i32.const 0x80))
    ;; The length in bits is 64 bits wide.
    (i32.store (i32.sub (local.get $end) (i32.const 8)) (call $swap (i32.shr_u (local.get $total) (i32.const 29))))
    (i32.store (i32.sub (local.get $end) (i32.const 4)) (call $swap (i32.shl (local.get $total) (i32.const 3))))
    (local.get $end))

  ;; Writes the state to the digest.
  (func $finish
    (local $i i32)
    (loop $words
      (i32.store offset=832 (local.get $i) (call $swap (i32.load offset=768 (local.get $i))))
      (br_if $words (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 32)))))

  ;; Ends a hash of $total bytes, of which the last $size are the input.
  (func (export "end") (param $size i32) (param $total i32)
    (call $blocks (global.get $input) (call $pad (local.get $size) (local.get $total)))
    (call $finish))

  ;; ---- the field of integers modulo p = 2^255 - 19, elements below 2^256 as eight words of 32 bits ----

  ;; $out = $a + $b; what is carried out of 2^256 counts 38.
  (func $add (param $out i32) (param $a i32) (param $b i32)
    (local $i i32) (local $carry i64)
    (loop $words
      (local.set $carry
        (i64.add
          (local.get $carry)
          (i64.add
            (i64.load32_u (i32.add (local.get $a) (local.get $i)))
            (i64.load32_u (i32.add (local.get $b) (local.get $i))))))
      (i64.store32 (i32.add (local.get $out) (local.get $i)) (local.get $carry))
      (local.set $carry (i64.shr_u (local.get $carry) (i64.const 32)))
      (br_if $words (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 32))))
    (call $addSmall (local.get $out) (i64.mul (local.get $carry) (i64.const 38))))

  ;; $out = $out + $carry, for sums below 2^256.
  (func $addSmall (param $out i32) (param $carry i64)
    (local $end i32)
    (local.set $end (i32.add (local.get $out) (i32.const 32)))
    (loop $words
      (local.set $carry (i64.add (local.get $carry) (i64.load32_u (local.get $out))))
      (i64.store32 (local.get $out) (local.get $carry))
      (local.set $carry (i64.shr_u (local.get $carry) (i64.const 32)))
      (br_if $words (i32.lt_u (local.tee $out (i32.add (local.get $out) (i32.const 4))) (local.get $end)))))

  ;; $out = $a * $b, below 2^255 + 2^11.
  (func $multiply (param $out i32) (param $a i32) (param $b i32)
    (local $i i32) (local $j i32) (local $carry i64) (local $factor i64)
    (memory.fill (global.get $product) (i32.const 0) (i32.const 32))
    (loop $rows
      (local.set $factor (i64.load32_u (i32.add (local.get $a) (local.get $i))))
      (local.set $carry (i64.const 0))
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $carry
          (i64.add
            (i64.add
              (local.get $carry)
              (i64.load32_u offset=992 (i32.add (local.get $i) (local.get $j))))
            (i64.mul (local.get $factor) (i64.load32_u (i32.add (local.get $b) (local.get $j))))))
        (i64.store32 offset=992 (i32.add (local.get $i) (local.get $j)) (local.get $carry))
        (local.set $carry (i64.shr_u (local.get $carry) (i64.const 32)))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 4))) (i32.const 32))))
      (i64.store32 offset=1024 (local.get $i) (local.get $carry))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 32))))
    ;; 2^256 counts 38.
    (local.set $i (i32.const 0))
    (local.set $carry (i64.const 0))
    (loop $fold
      (local.set $carry
        (i64.add
          (i64.add (local.get $carry) (i64.load32_u offset=992 (local.get $i)))
          (i64.mul (i64.load32_u offset=1024 (local.get $i)) (i64.const 38))))
      (i64.store32 (i32.add (local.get $out) (local.get $i)) (local.get $carry))
      (local.set $carry (i64.shr_u (local.get $carry) (i64.const 32)))
      (br_if $fold (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 32))))
    ;; 2^255 counts 19.
    (local.set $factor (i64.load32_u offset=28 (local.get $out)))
    (i64.store32 offset=28 (local.get $out) (i64.and (local.get $factor) (i64.const 0x7fffffff)))
    (call $addSmall (local.get $out)
      (i64.mul
        (i64.or
          (i64.shl (local.get $carry) (i64.const 1))
          (i64.shr_u (local.get $factor) (i64.const 31)))
        (i64.const 19))))

  ;; ---- the curve ----

  ;; Whether the digest decompresses to a point: x^2 = u / v, with u = y^2 - 1 and v = d y^2 + 1, has a solution exactly
  ;; when u v is a square.
  (func $isOnCurve (export "isOnCurve") (result i32)
    ;; y without the sign of x, which is the top bit.
    (memory.copy (global.get $y) (global.get $digest) (i32.const 32))
    (i32.store8 offset=927 (i32.const 0) (i32.and (i32.load8_u offset=927 (i32.const 0)) (i32.const 0x7f)))
    (call $multiply (global.get $y) (global.get $y) (global.get $y))
    (call $add (global.get $u) (global.get $y) (i32.const 256))
    (call $multiply (global.get $v) (global.get $y) (i32.const 320))
    (call $add (global.get $v) (global.get $v) (i32.const 288))
    (call $multiply (global.get $u) (global.get $u) (global.get $v))
    (call $isSquare
      (i64.load offset=928 (i32.const 0))
      (i64.load offset=936 (i32.const 0))
      (i64.load offset=944 (i32.const 0))
      (i64.load offset=952 (i32.const 0))))

  ;; Whether a, four words of 64 bits, is a square modulo p, zero included: the Jacobi symbol (a / n) from n = p on, by
  ;; subtraction and halving. $flips is odd when the symbol has changed its sign.
  (func $isSquare (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64) (result i32)
    (local $n0 i64) (local $n1 i64) (local $n2 i64) (local $n3 i64)
    (local $d0 i64) (local $d1 i64) (local $d2 i64) (local $d3 i64)
    (local $borrow i64) (local $below i64) (local $flips i64) (local $twos i64)
    (local.set $n0 (i64.const 0xffffffffffffffed))
    (local.set $n1 (i64.const -1))
    (local.set $n2 (i64.const -1))
    (local.set $n3 (i64.const 0x7fffffffffffffff))
    (local.set $d0 (local.get $a0))
    (local.set $d1 (local.get $a1))
    (local.set $d2 (local.get $a2))
    (local.set $d3 (local.get $a3))
    (block $done
      (loop $step
        ;; d is a - n of the step before, negative when $below is -1. Drop its low words while they are zero.
        (loop $drop
          (if (i64.eqz (local.get $d0))
            (then
              (br_if $done
                (i64.eqz (i64.or (local.get $d1) (i64.or (local.get $d2) (local.get $d3)))))
              (local.set $d0 (local.get $d1))
              (local.set $d1 (local.get $d2))
              (local.set $d2 (local.get $d3))
              (local.set $d3 (local.get $below))
              (br $drop))))
        ;; d = |d|: with a low word that is not zero, the minus of a number is the minus of that word and the complement
        ;; of the others.
        (local.set $d0 (i64.sub (i64.xor (local.get $d0) (local.get $below)) (local.get $below)))
        (local.set $d1 (i64.xor (local.get $d1) (local.get $below)))
        (local.set $d2 (i64.xor (local.get $d2) (local.get $below)))
        (local.set $d3 (i64.xor (local.get $d3) (local.get $below)))
        ;; a = d without its factors of two, each of which changes the sign when n is 3 or 5 modulo 8.
        (local.set $twos (i64.ctz (local.get $d0)))
        (local.set $flips
          (i64.xor (local.get $flips)
            (i64.and (local.get $twos)
              (i64.xor (i64.shr_u (local.get $n0) (i64.const 1)) (i64.shr_u (local.get $n0) (i64.const 2))))))
        (local.set $a0
          (i64.or
            (i64.shr_u (local.get $d0) (local.get $twos))
            (i64.shl (i64.shl (local.get $d1) (i64.const 1)) (i64.sub (i64.const 63) (local.get $twos)))))
        (local.set $a1
          (i64.or
            (i64.shr_u (local.get $d1) (local.get $twos))
            (i64.shl (i64.shl (local.get $d2) (i64.const 1)) (i64.sub (i64.const 63) (local.get $twos)))))
        (local.set $a2
          (i64.or
            (i64.shr_u (local.get $d2) (local.get $twos))
            (i64.shl (i64.shl (local.get $d3) (i64.const 1)) (i64.sub (i64.const 63) (local.get $twos)))))
        (local.set $a3 (i64.shr_u (local.get $d3) (local.get $twos)))
        ;; d = a - n
        (local.set $d0 (i64.sub (local.get $a0) (local.get $n0)))
        (local.set $borrow (i64.extend_i32_u (i64.lt_u (local.get $a0) (local.get $n0))))
        (local.set $d1 (i64.sub (i64.sub (local.get $a1) (local.get $n1)) (local.get $borrow)))
        (local.set $borrow
          (select
            (i64.extend_i32_u (i64.le_u (local.get $a1) (local.get $n1)))
            (i64.extend_i32_u (i64.lt_u (local.get $a1) (local.get $n1)))
            (i32.wrap_i64 (local.get $borrow))))
        (local.set $d2 (i64.sub (i64.sub (local.get $a2) (local.get $n2)) (local.get $borrow)))
        (local.set $borrow
          (select
            (i64.extend_i32_u (i64.le_u (local.get $a2) (local.get $n2)))
            (i64.extend_i32_u (i64.lt_u (local.get $a2) (local.get $n2)))
            (i32.wrap_i64 (local.get $borrow))))
        (local.set $d3 (i64.sub (i64.sub (local.get $a3) (local.get $n3)) (local.get $borrow)))
        (local.set $borrow
          (select
            (i64.extend_i32_u (i64.le_u (local.get $a3) (local.get $n3)))
            (i64.extend_i32_u (i64.lt_u (local.get $a3) (local.get $n3)))
            (i32.wrap_i64 (local.get $borrow))))
        ;; When a is below n they change places, and the sign if both are 3 modulo 4.
        (local.set $below (i64.sub (i64.const 0) (local.get $borrow)))
        (local.set $flips
          (i64.xor (local.get $flips)
            (i64.and (local.get $below)
              (i64.shr_u (i64.and (local.get $a0) (local.get $n0)) (i64.const 1)))))
        (local.set $n0 (select (local.get $a0) (local.get $n0) (i32.wrap_i64 (local.get $borrow))))
        (local.set $n1 (select (local.get $a1) (local.get $n1) (i32.wrap_i64 (local.get $borrow))))
        (local.set $n2 (select (local.get $a2) (local.get $n2) (i32.wrap_i64 (local.get $borrow))))
        (local.set $n3 (select (local.get $a3) (local.get $n3) (i32.wrap_i64 (local.get $borrow))))
        (br $step)))
    ;; n is the greatest common divisor: 1, or p when a was zero.
    (i32.or
      (i32.wrap_i64 (i64.and (i64.xor (local.get $flips) (i64.const 1)) (i64.const 1)))
      (i64.ne (local.get $n0) (i64.const 1))))

  ;; ---- program-derived addresses ----

  ;; The input is seeds, one byte for the bump, program and marker: $size bytes, the bump at $bumpAt. Returns the
  ;; largest bump whose hash is off the curve, or 0; the hash is in the digest. Blocks before the bump are hashed once.
  (func (export "findBump") (param $bumpAt i32) (param $size i32) (result i32)
    (local $bump i32) (local $from i32) (local $to i32)
    (local.set $to (call $pad (local.get $size) (local.get $size)))
    (local.set $from (i32.add (global.get $input) (i32.and (local.get $bumpAt) (i32.const -64))))
    (call $begin)
    (call $blocks (global.get $input) (local.get $from))
    (memory.copy (global.get $saved) (global.get $state) (i32.const 32))
    (local.set $bump (i32.const 255))
    (loop $next
      (memory.copy (global.get $state) (global.get $saved) (i32.const 32))
      (i32.store8 (i32.add (global.get $input) (local.get $bumpAt)) (local.get $bump))
      (call $blocks (local.get $from) (local.get $to))
      (call $finish)
      (if (call $isOnCurve)
        (then
          (local.set $bump (i32.sub (local.get $bump) (i32.const 1)))
          (br_if $next (local.get $bump)))))
    (local.get $bump)))
