/** What ends a run with a message. */
class Failure extends RuntimeException {
    Failure(String text) { super(text) }
}
