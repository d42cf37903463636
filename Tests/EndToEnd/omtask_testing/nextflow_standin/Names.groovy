/** Names that have no value are their own: `emit: result`. */
class Names extends Binding {
    Names(Map variables) { super(new LinkedHashMap(variables)) }
    def getVariable(String name) { hasVariable(name) ? super.getVariable(name) : name }
}
