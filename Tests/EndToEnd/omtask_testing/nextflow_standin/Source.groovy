import org.codehaus.groovy.ast.ModuleNode
import org.codehaus.groovy.ast.expr.CastExpression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.control.MultipleCompilationErrorsException
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.messages.SyntaxErrorMessage

/** A file of Nextflow: parsed by Groovy, which its language is a dialect of, and cut into sections. */
class Source {
    File file
    List<Map> includes = []
    List<Definition> definitions = []

    static ModuleNode tree(String name, String text) {
        def unit = SourceUnit.create(name, text)
        unit.parse()
        unit.completePhase()
        unit.nextPhase()
        unit.convert()
        unit.AST
    }

    static List<Map> errors(String name, String text) {
        try {
            tree(name, text)
            []
        } catch (MultipleCompilationErrorsException failed) {
            failed.errorCollector.errors.collect {
                def cause = it instanceof SyntaxErrorMessage ? it.cause : null
                [line: cause?.line, column: cause?.startColumn, text: cause?.message ?: "$it"]
            }
        }
    }

    /** All of a file as one closure, whose names are those of whom it is given to. */
    static Closure body(File file) {
        new GroovyShell(Source.classLoader).evaluate("return { -> ${file.getText('UTF-8')}\n}")
    }

    static Source read(File file) {
        def text = file.getText('UTF-8')
        def source = new Source(file: file)
        for (statement in tree(file.name, text).statementBlock.statements) {
            def call = (statement as ExpressionStatement).expression as MethodCallExpression
            def first = call.arguments.expressions ? call.arguments.expressions[0] : null
            if (call.methodAsString == 'from') {
                def items = call.objectExpression.arguments.expressions[0].code.statements
                for (item in items.collect { it.expression }) {
                    def renamed = item instanceof CastExpression
                    source.includes << [
                        name: renamed ? item.expression.name : item.name,
                        alias: renamed ? item.type.name : item.name, path: first.value]
                }
            } else if (call.methodAsString in ['process', 'workflow']) {
                def named = first instanceof MethodCallExpression
                def body = named ? first.arguments.expressions[0] : first
                source.definitions << new Definition(
                    kind: call.methodAsString, name: named ? first.methodAsString : '', file: file, line: statement.lineNumber,
                    sections: sections(body.code.statements, text.readLines(), body.lastLineNumber))
            } else {
                throw new IllegalStateException("${file}:${statement.lineNumber}: `${call.methodAsString}` is not known here")
            }
        }
        source
    }

    /** The text of each statement: from its first line to the next statement, label or the end of the body. */
    static Map<String, List<String>> sections(List<Statement> statements, List<String> lines, int end) {
        def found = [:].withDefault { [] }
        def label = ''
        statements.eachWithIndex { statement, index ->
            label = statement.statementLabels ? statement.statementLabels[0] : label
            def next = index + 1 < statements.size() ? statements[index + 1].lineNumber : end
            def text = lines[statement.lineNumber - 1..<Math.max(next - 1, statement.lineNumber)]
            found[label] << text.takeWhile { !(it ==~ /\s*[a-z]+:\s*/) || it == text[0] }
                .collect { it.replaceFirst(/^\s*[a-z]+:\s*$/, '') }.join('\n')
        }
        found
    }
}
