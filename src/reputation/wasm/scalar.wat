;; Scores without SIMD. The memory is the caller's: see src/reputation/internal/kernelModel.ts for what the functions do.
(module
  (import "env" "memory" (memory 1))

  (func (export "update") (param $score i32) (param $gain i32) (param $count i32)
                          (param $decay f32) (param $weight f32) (param $cap f32)
    (local $end i32) (local $gained f32) (local $next f32)
    (local.set $end (i32.add (local.get $score) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $score) (local.get $end)))
        (local.set $gained (f32.mul (f32.load (local.get $gain)) (local.get $weight)))
        (local.set $next
          (f32.add
            (f32.mul (f32.load (local.get $score)) (local.get $decay))
            ;; not a number counts as 0
            (select (local.get $gained) (f32.const 0) (f32.eq (local.get $gained) (local.get $gained)))))
        (local.set $next
          (select (local.get $next) (f32.const 0) (f32.ge (local.get $next) (f32.const 0x1p-126))))
        (f32.store (local.get $score)
          (select (local.get $cap) (local.get $next) (f32.lt (local.get $cap) (local.get $next))))
        (local.set $score (i32.add (local.get $score) (i32.const 4)))
        (local.set $gain (i32.add (local.get $gain) (i32.const 4)))
        (br $each))))

  (func (export "inRange") (param $score i32) (param $count i32) (param $min f32) (param $max f32) (param $out i32)
                           (result i32)
    (local $index i32) (local $value f32) (local $found i32)
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $index) (local.get $count)))
        (local.set $value (f32.load (local.get $score)))
        ;; written always, kept if the next one is written behind it
        (i32.store (i32.add (local.get $out) (i32.shl (local.get $found) (i32.const 2))) (local.get $index))
        (local.set $found
          (i32.add (local.get $found)
            (i32.and
              (f32.ge (local.get $value) (local.get $min))
              (f32.le (local.get $value) (local.get $max)))))
        (local.set $score (i32.add (local.get $score) (i32.const 4)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $each)))
    (local.get $found)))
