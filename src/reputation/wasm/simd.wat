;; Scores with SIMD: four at a time, in blocks of 16. `count` is a multiple of 16. No relaxed instruction is used, so the
;; bits are those of wasm/scalar.wat. The four steps of a block are written out: a call for each costs half as much again.
;; A gain that is not a number counts as 0. See src/reputation/internal/kernelModel.ts for what the functions do.
(module
  (import "env" "memory" (memory 1))

  (func (export "update") (param $score i32) (param $gain i32) (param $count i32)
                          (param $decay f32) (param $weight f32) (param $cap f32)
    (local $end i32) (local $decays v128) (local $weights v128) (local $caps v128) (local $least v128)
    (local $gained v128) (local $next v128)
    (local.set $end (i32.add (local.get $score) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $decays (f32x4.splat (local.get $decay)))
    (local.set $weights (f32x4.splat (local.get $weight)))
    (local.set $caps (f32x4.splat (local.get $cap)))
    (local.set $least (f32x4.splat (f32.const 0x1p-126)))
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $score) (local.get $end)))
        (local.set $gained (f32x4.mul (v128.load (local.get $gain)) (local.get $weights)))
        (local.set $next
          (f32x4.add
            (f32x4.mul (v128.load (local.get $score)) (local.get $decays))
            (v128.and (local.get $gained) (f32x4.eq (local.get $gained) (local.get $gained)))))
        (v128.store (local.get $score)
          (f32x4.pmin
            (v128.and (local.get $next) (f32x4.ge (local.get $next) (local.get $least)))
            (local.get $caps)))
        (local.set $gained (f32x4.mul (v128.load offset=16 (local.get $gain)) (local.get $weights)))
        (local.set $next
          (f32x4.add
            (f32x4.mul (v128.load offset=16 (local.get $score)) (local.get $decays))
            (v128.and (local.get $gained) (f32x4.eq (local.get $gained) (local.get $gained)))))
        (v128.store offset=16 (local.get $score)
          (f32x4.pmin
            (v128.and (local.get $next) (f32x4.ge (local.get $next) (local.get $least)))
            (local.get $caps)))
        (local.set $gained (f32x4.mul (v128.load offset=32 (local.get $gain)) (local.get $weights)))
        (local.set $next
          (f32x4.add
            (f32x4.mul (v128.load offset=32 (local.get $score)) (local.get $decays))
            (v128.and (local.get $gained) (f32x4.eq (local.get $gained) (local.get $gained)))))
        (v128.store offset=32 (local.get $score)
          (f32x4.pmin
            (v128.and (local.get $next) (f32x4.ge (local.get $next) (local.get $least)))
            (local.get $caps)))
        (local.set $gained (f32x4.mul (v128.load offset=48 (local.get $gain)) (local.get $weights)))
        (local.set $next
          (f32x4.add
            (f32x4.mul (v128.load offset=48 (local.get $score)) (local.get $decays))
            (v128.and (local.get $gained) (f32x4.eq (local.get $gained) (local.get $gained)))))
        (v128.store offset=48 (local.get $score)
          (f32x4.pmin
            (v128.and (local.get $next) (f32x4.ge (local.get $next) (local.get $least)))
            (local.get $caps)))
        (local.set $score (i32.add (local.get $score) (i32.const 64)))
        (local.set $gain (i32.add (local.get $gain) (i32.const 64)))
        (br $each))))

  (func (export "inRange") (param $score i32) (param $count i32) (param $min f32) (param $max f32) (param $out i32)
                           (result i32)
    (local $index i32) (local $values v128) (local $lanes i32) (local $at i32)
    (local.set $at (local.get $out))
    (block $done
      (loop $four
        (br_if $done (i32.ge_u (local.get $index) (local.get $count)))
        (local.set $values (v128.load (local.get $score)))
        (local.set $lanes
          (i32x4.bitmask
            (v128.and
              (f32x4.ge (local.get $values) (f32x4.splat (local.get $min)))
              (f32x4.le (local.get $values) (f32x4.splat (local.get $max))))))
        (block $none
          (loop $lane
            (br_if $none (i32.eqz (local.get $lanes)))
            (i32.store (local.get $at) (i32.add (local.get $index) (i32.ctz (local.get $lanes))))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (local.set $lanes (i32.and (local.get $lanes) (i32.sub (local.get $lanes) (i32.const 1))))
            (br $lane)))
        (local.set $score (i32.add (local.get $score) (i32.const 16)))
        (local.set $index (i32.add (local.get $index) (i32.const 4)))
        (br $four)))
    (i32.shr_u (i32.sub (local.get $at) (local.get $out)) (i32.const 2))))
