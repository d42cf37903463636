/** What `4.h` is. */
class Duration {
    double hours
    Duration multiply(Number factor) { new Duration(hours: hours * factor) }
    String toString() { "${hours}h" }
}
