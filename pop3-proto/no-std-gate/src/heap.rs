//! The smallest heap there is: memory is handed out from the front of one static array and never taken back.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Octets in the heap: enough for a session of a few messages.
const SIZE: usize = 256 * 1024;

/// A bump allocator.
pub(crate) struct Heap {
    octets: UnsafeCell<[u8; SIZE]>,
    /// How many octets at the front are handed out.
    used: AtomicUsize,
}

impl Heap {
    /// An empty heap.
    pub(crate) const fn new() -> Self {
        Heap { octets: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) }
    }
}

// SAFETY: the array is reached only through the pointers that `alloc` hands out, and no two of them overlap.
unsafe impl Sync for Heap {}

// SAFETY: each block lies inside the array, begins at the alignment that was asked for, and ends where the next one
// may begin, because `used` only grows and grows in one atomic step. The counter never goes back.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.octets.get().cast::<u8>();
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            // The array itself is aligned to one octet, so it is the address that is rounded up, not the offset.
            let Some(past) = (base.addr() + used).checked_next_multiple_of(layout.align()) else { return null_mut() };
            let start = past - base.addr();
            let Some(end) = start.checked_add(layout.size()) else { return null_mut() };
            if end > SIZE {
                return null_mut();
            }
            match self.used.compare_exchange_weak(used, end, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: `start <= end <= SIZE`, so the pointer stays inside the array.
                Ok(_) => return unsafe { base.add(start) },
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
