/** What `4.GB` is. */
class Memory {
    long bytes
    long toMega() { bytes >> 20 }
    Memory multiply(Number factor) { new Memory(bytes: bytes * factor) }
    String toString() { "${toMega()} MB" }
}
